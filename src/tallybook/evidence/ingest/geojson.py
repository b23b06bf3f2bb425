"""GeoJSON (RFC 7946): the properties of a feature are the columns of a row, its point is where the row was."""

from __future__ import annotations

import re
from typing import Any

from tallybook.evidence.ingest.gather import Gathering
from tallybook.evidence.ingest.json_rows import Number, decoded, fields_of, kind, parsed
from tallybook.evidence.ingest.told import told

_COLLECTION = {"type", "features", "name", "bbox", "crs"}
_FEATURE = {"type", "properties", "geometry", "id", "bbox"}
_DEGREES = re.compile(r"-?\d{1,3}(\.\d{1,12})?", re.ASCII)
_WGS84 = ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4326")

Point = tuple[str, str]


def read_geojson(into: Gathering, file: str, stem: str, raw: bytes) -> None:
    """A FeatureCollection for one table. The line of a row is the number of its feature.

    A Point gives `lat` and `lon` where the table has these columns. Elsewhere it is kept in `points`, and is the place
    of a row that names none, as "lat, lon". Any other geometry is a fault unless the row names its place: a row is where
    one thing was. Coordinates are degrees of WGS 84, longitude first.
    """
    value = parsed(into, file, decoded(into, file, raw))
    if not isinstance(value, dict) or value.get("type") != "FeatureCollection" or not isinstance(value.get("features"), list):
        raise into.stop(file, 0, "not a FeatureCollection", 'write {"type": "FeatureCollection", "features": […]}')
    for name in value.keys() - _COLLECTION:
        into.fault(file, 0, "", f"unknown member {told(name)}", "put what belongs to a row into its properties")
    if "crs" in value and not _is_wgs84(value["crs"]):
        into.fault(file, 0, "crs", "coordinates that are not WGS 84", "convert them: longitude and latitude in degrees")
    table = into.table_of(file, [stem, value["name"] if isinstance(value.get("name"), str) else stem])
    into.begin(file, table)
    for number, feature in enumerate(value["features"], 1):
        fields = _fields(into, file, number, feature)
        if fields is not None and _placed(into, file, table, number, feature.get("geometry"), fields):
            into.add(file, table, number, fields)


def _is_wgs84(crs: Any) -> bool:
    named = crs.get("properties") if isinstance(crs, dict) else None
    return isinstance(named, dict) and named.get("name") in _WGS84


def _fields(into: Gathering, file: str, line: int, feature: Any) -> dict[str, str] | None:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        into.fault(file, line, "", "not a Feature", 'write {"type": "Feature", "properties": {…}, "geometry": …}')
        return None
    for name in feature.keys() - _FEATURE:
        into.fault(file, line, "", f"unknown member {told(name)}", "put what belongs to a row into its properties")
    fields = fields_of(into, file, line, feature.get("properties"))
    name = feature.get("id")
    if fields is None or name is None:
        return fields
    if not isinstance(name, str) or fields.setdefault("id", str(name)) != name:
        into.fault(file, line, "id", "the id of the feature is not the id in its properties", "correct one, or drop it")
        return None
    return fields


def _placed(into: Gathering, file: str, table: str, line: int, geometry: Any, fields: dict[str, str]) -> bool:
    """Put the point of a feature into its row; False where it has none that fits (then noted)."""
    known = into.tables[table].known
    by_degrees = "lat" in known and "lon" in known
    if by_degrees and geometry is None:
        fields.setdefault("lat", "")
        fields.setdefault("lon", "")
    if geometry is None:
        return True
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        if not by_degrees and fields.get("place", "").strip():
            return True
        into.fault(file, line, "geometry", f"{_geometry(geometry)} where a Point is due", "name the place in the properties")
        return False
    point = _point(into, file, line, geometry.get("coordinates"))
    if point is None:
        return False
    if not by_degrees:
        into.points[table, line] = point
        if "place" in known and not fields.get("place", "").strip():
            fields["place"] = f"{point[0]}, {point[1]}"
        return True
    for column, text in zip(("lat", "lon"), point, strict=True):
        if fields.get(column, "").strip() not in ("", text):
            into.fault(file, line, column, f"{told(fields[column])} is not the {text} of the point", "correct one, or drop it")
            return False
        fields[column] = text
    return True


def _geometry(geometry: Any) -> str:
    name = geometry.get("type") if isinstance(geometry, dict) else None
    return told(name) if isinstance(name, str) else kind(geometry)


def _point(into: Gathering, file: str, line: int, at: Any) -> Point | None:
    """Latitude and longitude as written, or None where they are no such (then noted)."""
    if not isinstance(at, list) or len(at) != 2:
        into.fault(file, line, "geometry", "a Point without its two coordinates", "write [longitude, latitude], no height")
        return None
    for text, name, most in ((at[0], "longitude", 180), (at[1], "latitude", 90)):
        if not isinstance(text, Number) or not _DEGREES.fullmatch(text) or abs(float(text)) > most:
            shown = told(text) if isinstance(text, str) else kind(text)
            what = f"{shown} is no {name} in degrees"
            into.fault(file, line, "geometry", what, f"write -{most} to {most}, longitude first")
            return None
    return str(at[1]), str(at[0])
