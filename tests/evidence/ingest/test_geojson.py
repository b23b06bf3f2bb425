"""GeoJSON: properties are columns, a point is a place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evidence.ingest.making import ROWS, bring, fields, wrong

PLACE = {"id": "P-1", "name": "North quay"}
LINE = {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}


def point(*at: object) -> dict[str, Any]:
    return {"type": "Point", "coordinates": list(at)}


def collection(*features: dict[str, Any], **more: object) -> bytes:
    made = [{"type": "Feature", "properties": {}, "geometry": None, **feature} for feature in features]
    return json.dumps({"type": "FeatureCollection", "features": made, **more}).encode()


def test_a_point_gives_latitude_and_longitude_as_written() -> None:
    raw = collection({"properties": PLACE, "geometry": point(0, 0)}).replace(b"[0, 0]", b"[-82.750, 22.99]")
    assert fields(bring(raw, "places.geojson"), "places") == [{**PLACE, "lat": "22.99", "lon": "-82.750"}]


def test_a_place_without_a_point_has_none() -> None:
    assert fields(bring(collection({"properties": PLACE}), "places.geojson"), "places")[0]["lat"] == ""


def test_the_properties_may_repeat_the_point_and_not_contradict_it() -> None:
    same = {**PLACE, "lat": "22.99", "lon": "-82.75"}
    assert fields(bring(collection({"properties": same, "geometry": point(-82.75, 22.99)}), "places.geojson"), "places") == [same]
    other = {**same, "lat": "23.99"}
    assert "is not the 22.99 of the point" in wrong(
        collection({"properties": other, "geometry": point(-82.75, 22.99)}), "places.geojson"
    )


def test_a_report_without_a_place_is_where_its_point_is() -> None:
    brought = bring(collection({"properties": ROWS[1], "geometry": point(-82.75, 22.99)}), "observations.geojson")
    assert fields(brought)[0]["place"] == "22.99, -82.75"
    assert brought.points == {("observations", 1): ("22.99", "-82.75")}


def test_a_report_that_names_its_place_keeps_it_and_its_point() -> None:
    brought = bring(collection({"properties": ROWS[0], "geometry": point(-82.75, 22.99)}), "observations.geojson")
    assert fields(brought)[0]["place"] == "North quay"
    assert brought.points == {("observations", 1): ("22.99", "-82.75")}


def test_another_geometry_needs_a_named_place() -> None:
    assert fields(bring(collection({"properties": ROWS[0], "geometry": LINE}), "observations.geojson")) == [ROWS[0]]
    assert "'LineString' where a Point is due" in wrong(
        collection({"properties": ROWS[1], "geometry": LINE}), "observations.geojson"
    )
    assert "'LineString' where a Point is due" in wrong(collection({"properties": PLACE, "geometry": LINE}), "places.geojson")


@pytest.mark.parametrize(
    "at",
    [
        [22.99, -182],
        [-182, 22],
        [22, 91],
        [1],
        [1, 2, 3],
        [],
        ["1", "2"],
        [None, 1],
        [True, 1],
        [1e400, 1],
        [[1, 2], [3, 4]],
        [1e-20, 2],
    ],
)
def test_coordinates_that_are_none(at: list[object]) -> None:
    raw = collection({"properties": PLACE, "geometry": point(*at)})
    assert "places.geojson:1 [geometry]" in wrong(raw, "places.geojson")


@pytest.mark.parametrize("geometry", [1, "Point", [], {}, {"type": "Point"}, {"type": 3}, {"type": ["Point"]}])
def test_a_geometry_that_is_none(geometry: object) -> None:
    assert "places.geojson:1 [geometry]" in wrong(collection({"properties": PLACE, "geometry": geometry}), "places.geojson")


def test_the_id_of_a_feature() -> None:
    named = {"properties": {"name": "x"}, "id": "P-9"}
    assert fields(bring(collection(named), "places.geojson"), "places")[0]["id"] == "P-9"
    assert "not the id in its properties" in wrong(collection({"properties": PLACE, "id": "P-9"}), "places.geojson")
    assert fields(bring(collection({"properties": PLACE, "id": "P-1"}), "places.geojson"), "places")[0]["id"] == "P-1"


@pytest.mark.parametrize("feature", [{"type": "Point"}, {"properties": None}, {"properties": 3}, {"extra": 1}])
def test_a_feature_of_another_form(feature: dict[str, Any]) -> None:
    assert wrong(collection({"properties": PLACE, **feature}), "places.geojson")


@pytest.mark.parametrize(
    "raw",
    [b"[]", b"{}", b'{"type": "Feature"}', b'{"type": "FeatureCollection"}', b'{"type": "FeatureCollection", "features": 1}'],
)
def test_what_is_no_collection(raw: bytes) -> None:
    assert "not a FeatureCollection" in wrong(raw, "places.geojson")


def test_other_coordinates_and_other_members() -> None:
    crs = {"type": "name", "properties": {"name": "EPSG:3857"}}
    assert "not WGS 84" in wrong(collection({"properties": PLACE}, crs=crs), "places.geojson")
    crs["properties"] = {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}
    assert bring(collection({"properties": PLACE}, crs=crs, name="places", bbox=[0, 0, 1, 1]), "x.geojson").rows["places"]
    assert "unknown member 'more'" in wrong(collection({"properties": PLACE}, more=1), "places.geojson")
