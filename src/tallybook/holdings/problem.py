"""Reads problems of the forms A, B, C and D, as decoded JSON, into the model.

A: closed counts at sites. B: open counts at sites with known rates. C: one class through stages. D: several classes, and looks
as reports really are. Every fault is a ModelError that names the file, the look and what to do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from tallybook.holdings.model import (
    MOST_DAYS,
    Account,
    Decoys,
    ItemClass,
    Look,
    ModelError,
    Stage,
    distribution,
    not_negative,
    positive,
    probability,
    whole,
)

STAGES = ("site", "port", "ship")
LEAVING_THE_LAST = "flow"
ONLY_CLASS = "item"
LARGEST = 2**53
DEEPEST = 20

_REMARKS = ("id", "name", "size", "truth", "note", "title", "source", "seed")
_LOOK_REMARKS = ("id", "method", "note", "source", "known")


@dataclass(frozen=True, slots=True)
class Closed:
    """Problem A: `y[s][t]` is the count of visit t at site s.

    The expected number at a site is Gamma(a, rate b), detection is Beta(alpha, beta).
    """

    y: tuple[tuple[int, ...], ...]
    a: float
    b: float
    alpha: float
    beta: float


@dataclass(frozen=True, slots=True)
class TurnoverProblem:
    """Problem B: `y[s][t][j]` is count j of occasion t at site s, None where nobody looked.

    `lam`: expected number at first, `gamma`: expected arrivals per occasion, `omega`: probability of staying, `p`: probability
    of being detected.
    `prior`: parameters of the priors where the problem gives them (Gamma shape and rate, Beta pairs).
    """

    y: tuple[tuple[tuple[int | None, ...], ...], ...]
    lam: float
    gamma: float
    omega: float
    p: float
    prior: Mapping[str, float | tuple[float, float]] | None = None


Problem = Closed | TurnoverProblem | Account


def read_problem(data: object, where: str) -> Problem:
    """The problem that decoded JSON states; `where` names the file. Raises ModelError for anything that makes no sense."""
    _check_numbers(data, where)
    given = _object(data, where)
    form = given.get("problem")
    if form == "A":
        return _closed(given, where)
    if form == "B":
        return _turnover(given, where)
    if form == "C":
        return _one_class(given, where)
    if form == "D":
        return _classes(given, where)
    what = f"no form of problem {form!r}" if "problem" in given else "the form of the problem is missing"
    raise ModelError(what, where=f"{where}: problem", do="give `problem`: A, B, C or D")


def _closed(given: Mapping[str, object], where: str) -> Closed:
    _keys(given, where, ("problem", "prior", "y"), ("theta", *_REMARKS))
    place = f"{where}: prior"
    names = ("a", "b", "alpha", "beta")
    prior = _keys(_object(given["prior"], place), place, names)
    a, b, alpha, beta = (positive(prior[name], f"{place}.{name}") for name in names)
    y = tuple(
        tuple(whole(count, f"{where}: y[{s}][{t}]", "the count") for t, count in enumerate(_list(site, f"{where}: y[{s}]")))
        for s, site in enumerate(_list(given["y"], f"{where}: y"))
    )
    _same_length(y, f"{where}: y", "visits")
    return Closed(y, a, b, alpha, beta)


def _turnover(given: Mapping[str, object], where: str) -> TurnoverProblem:
    _keys(given, where, ("problem", "theta", "y"), ("prior", *_REMARKS))
    place = f"{where}: theta"
    theta = _keys(_object(given["theta"], place), place, ("lam", "gamma", "omega", "p"))
    y = tuple(
        tuple(
            tuple(
                None if count is None else whole(count, f"{where}: y[{s}][{t}][{j}]", "the count")
                for j, count in enumerate(_list(occasion, f"{where}: y[{s}][{t}]"))
            )
            for t, occasion in enumerate(_list(site, f"{where}: y[{s}]"))
        )
        for s, site in enumerate(_list(given["y"], f"{where}: y"))
    )
    _same_length(y, f"{where}: y", "occasions")
    for s, site in enumerate(y):
        for t, occasion in enumerate(site):
            if len(occasion) != len(y[0][0]):
                what = f"{len(occasion)} counts, and the first occasion has {len(y[0][0])}"
                raise ModelError(what, where=f"{where}: y[{s}][{t}]", do="give every occasion as many, null where nobody looked")
    return TurnoverProblem(
        y,
        not_negative(theta["lam"], f"{place}.lam"),
        not_negative(theta["gamma"], f"{place}.gamma"),
        probability(theta["omega"], f"{place}.omega"),
        probability(theta["p"], f"{place}.p"),
        _turnover_prior(given["prior"], f"{where}: prior") if "prior" in given else None,
    )


def _turnover_prior(given: object, where: str) -> dict[str, float | tuple[float, float]]:
    numbers, pairs = ("a_lam", "b_lam", "a_gam", "b_gam"), ("omega", "p")
    prior = _keys(_object(given, where), where, (*numbers, *pairs))
    read: dict[str, float | tuple[float, float]] = {name: positive(prior[name], f"{where}.{name}") for name in numbers}
    for name in pairs:
        read[name] = _pair(prior[name], f"{where}.{name}")
    return read


def _one_class(given: Mapping[str, object], where: str) -> Account:
    _keys(given, where, ("problem", "D", "pi", "T", "q", "rho"), ("obs", "stages", *_REMARKS))
    stages = _stages(given, where)
    return _account(given, where, (_item_class(given, ONLY_CLASS, stages, where),), stages)


def _classes(given: Mapping[str, object], where: str) -> Account:
    _keys(given, where, ("problem", "T", "classes"), ("obs", "stages", "passes", "recognition", *_REMARKS))
    stages = _stages(given, where)
    classes = []
    for k, item in enumerate(_list(given["classes"], f"{where}: classes")):
        place = f"{where}: classes[{k}]"
        one = _keys(_object(item, place), place, ("name", "D", "pi", "q", "rho"), ("decoys", "note"))
        name = _text(one["name"], f"{place}.name")
        classes.append(_item_class(one, name, stages, f"{where}: {name}"))
    return _account(given, where, tuple(classes), stages)


def _account(given: Mapping[str, object], where: str, classes: tuple[ItemClass, ...], stages: Sequence[str]) -> Account:
    last_day = whole(given["T"], f"{where}: T", "the last day")
    if last_day > MOST_DAYS:
        raise ModelError(f"{last_day:,} days are too many", where=f"{where}: T", do=f"give at most {MOST_DAYS:,}")
    names = [c.name for c in classes]
    looks = tuple(_look(one, k, where, names, stages) for k, one in enumerate(_list(given.get("obs", []), f"{where}: obs")))
    twice = sorted({look.name for look in looks if sum(other.name == look.name for other in looks) > 1}) if looks else []
    if twice:
        raise ModelError(f"two looks of one id, {twice[0]!r}", where=f"{where}: obs", do="give each look its own id")
    account = Account(classes, last_day, looks, _passes(given, where), _recognition(given, where, names))
    try:
        return account.checked()
    except ModelError as fault:
        raise ModelError(fault.what, where=f"{where}: {fault.where}" if fault.where else where, do=fault.do) from None


def _stages(given: Mapping[str, object], where: str) -> tuple[str, ...]:
    if "stages" not in given:
        return STAGES
    place = f"{where}: stages"
    stages = tuple(_text(name, f"{place}[{k}]") for k, name in enumerate(_list(given["stages"], place)))
    if not stages:
        raise ModelError("no stage given", where=place, do="name the stages in their order")
    if len(set(stages)) != len(stages):
        raise ModelError("two stages of one name", where=place, do="give each stage its own name")
    if LEAVING_THE_LAST in stages:
        raise ModelError(f"{LEAVING_THE_LAST!r} means leaving the last stage", where=place, do="give the stage another name")
    return stages


def _item_class(given: Mapping[str, object], name: str, stages: Sequence[str], where: str) -> ItemClass:
    if given["D"] is None:
        raise ModelError("a declaration without a number", where=f"{where}: D", do="give the number declared; 0 if nothing was")
    q = [probability(x, f"{where}: q[{k}]") for k, x in enumerate(_list(given["q"], f"{where}: q"))]
    if len(q) != len(stages):
        what = f"{len(q)} probabilities of leaving for {len(stages)} stages ({', '.join(stages)})"
        raise ModelError(what, where=f"{where}: q", do="give one for each stage, or name the stages in `stages`")
    decoys = None
    if given.get("decoys") is not None:
        place = f"{where}: decoys"
        stand = _keys(_object(given["decoys"], place), place, ("pmf", "survive"))
        decoys = Decoys(_shares(stand["pmf"], f"{place}.pmf"), probability(stand["survive"], f"{place}.survive"))
    return ItemClass(
        name,
        whole(given["D"], f"{where}: D", "the declared number"),
        _shares(given["pi"], f"{where}: pi"),
        tuple(Stage(stage, leaves) for stage, leaves in zip(stages, q, strict=True)),
        not_negative(given["rho"], f"{where}: rho"),
        decoys,
    )


def _passes(given: Mapping[str, object], where: str) -> dict[str, tuple[tuple[float, float], ...]]:
    passes = {}
    for name, one in _object(given.get("passes", {}), f"{where}: passes").items():
        place = f"{where}: passes.{name}"
        rows = _list(_keys(_object(one, place), place, ("visibility",), ("note",))["visibility"], f"{place}.visibility")
        pairs = [_two(row, f"{place}.visibility[{k}]") for k, row in enumerate(rows)]
        passes[name] = tuple((probability(v, f"{place}.visibility"), _weight(w, f"{place}.visibility")) for v, w in pairs)
    return passes


def _recognition(given: Mapping[str, object], where: str, names: Sequence[str]) -> dict[str, dict[str, float]]:
    if "recognition" not in given:
        return {name: {name: 1.0} for name in names}
    place = f"{where}: recognition"
    rows = _object(given["recognition"], place)
    missing = [name for name in names if name not in rows]
    if missing:
        raise ModelError(f"nothing is said of class {missing[0]!r}", where=place, do="give a row for each class")
    return {
        true: {name: probability(share, f"{place}.{true}.{name}") for name, share in _object(row, f"{place}.{true}").items()}
        for true, row in rows.items()
    }


_LOOK_NEEDS = ("what",)
_LOOK_MAY = (
    "day",
    "days",
    "p",
    "phi",
    "y",
    "counts",
    "class",
    "decoy_p",
    "pass",
    "units_per_item",
    "dispersion",
    *_LOOK_REMARKS,
)


def _look(given: object, index: int, where: str, names: Sequence[str], stages: Sequence[str]) -> Look:
    name = f"obs[{index}]"
    one = _object(given, f"{where}: {name}")
    if "id" in one:
        name = _text(one["id"], f"{where}: {name}.id")
    place = f"{where}: {name}"
    _keys(one, place, _LOOK_NEEDS, _LOOK_MAY)
    leaving, stage = _what(one["what"], place, stages)
    dispersion = None if one.get("dispersion") is None else _pair(one["dispersion"], f"{place}: dispersion")
    if "p" not in one and dispersion is None:
        raise ModelError("no detection probability", where=place, do="give `p`, or `dispersion`")
    decoy_p = probability(one.get("decoy_p", 0), f"{place}: decoy_p")
    if decoy_p > 0 and (leaving or stage != stages[0]):
        raise ModelError(f"decoys stand in {stages[0]} only", where=place, do="leave decoy_p out")
    if one.get("units_per_item") is not None and dispersion is not None:
        raise ModelError("units_per_item and dispersion in one look", where=place, do="give one of them")
    units = () if one.get("units_per_item") is None else _shares(one["units_per_item"], f"{place}: units_per_item")
    return Look(
        name,
        _days(one, place),
        stage,
        _counts(one, place, names),
        leaving=leaving,
        sorts="counts" in one,
        p=probability(one.get("p", 1), f"{place}: p"),
        phi=not_negative(one.get("phi", 0), f"{place}: phi"),
        decoy_p=decoy_p,
        in_pass=_text(one["pass"], f"{place}: pass") if one.get("pass") is not None else "",
        units_per_item=units,
        dispersion=dispersion,
    )


def _what(what: object, where: str, stages: Sequence[str]) -> tuple[bool, str]:
    if what == LEAVING_THE_LAST:
        return True, stages[-1]
    if what not in stages:
        known = ", ".join((*stages, LEAVING_THE_LAST))
        raise ModelError(f"no stage {what!r}", where=f"{where}: what", do=f"the stages are {known}")
    return False, str(what)


def _days(one: Mapping[str, object], where: str) -> tuple[tuple[int, float], ...]:
    if ("day" in one) == ("days" in one):
        what = "both `day` and `days`" if "day" in one else "no day"
        raise ModelError(what, where=where, do="give `day`, or `days` with weights")
    if "day" in one:
        return ((_day(one["day"], where), 1.0),)
    pairs = [_two(row, f"{where}: days[{k}]") for k, row in enumerate(_list(one["days"], f"{where}: days"))]
    return tuple((_day(day, where), _weight(weight, f"{where}: days")) for day, weight in pairs)


def _day(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise ModelError(f"no day {value!r}", where=where, do="give the number of the day; the first is 0")
    return int(value)


def _counts(one: Mapping[str, object], where: str, names: Sequence[str]) -> tuple[tuple[str, int], ...]:
    if ("y" in one) == ("counts" in one):
        what = "both `y` and `counts`" if "y" in one else "a look without a count"
        raise ModelError(what, where=where, do="give `y`, or `counts` by class; leave out a look that was not made")
    if "counts" in one:
        if "class" in one:
            raise ModelError("`class` beside `counts`", where=where, do="a look that sorts is of all classes: leave `class` out")
        counts = _object(one["counts"], f"{where}: counts")
        return tuple((name, whole(y, f"{where}: counts.{name}", "the count")) for name, y in counts.items())
    if "class" not in one and len(names) != 1:
        raise ModelError("whose count is it?", where=where, do=f"give `class`, one of {', '.join(names)}")
    name = _text(one["class"], f"{where}: class") if "class" in one else names[0]
    return ((name, whole(one["y"], where, "the count")),)


def _object(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ModelError(f"expected an object with named values, not {_kind(value)}", where=where)
    return value


def _list(value: object, where: str) -> Sequence[object]:
    if not isinstance(value, (list, tuple)):
        raise ModelError(f"expected a list, not {_kind(value)}", where=where)
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ModelError(f"expected a name, not {_kind(value)}", where=where)
    return value


def _two(value: object, where: str) -> tuple[object, object]:
    pair = _list(value, where)
    if len(pair) != 2:
        raise ModelError(f"expected two numbers, not {len(pair)}", where=where)
    return pair[0], pair[1]


def _pair(value: object, where: str) -> tuple[float, float]:
    first, second = _two(value, where)
    return positive(first, where), positive(second, where)


def _shares(value: object, where: str) -> tuple[float, ...]:
    shares = tuple(probability(share, f"{where}[{k}]") for k, share in enumerate(_list(value, where)))
    distribution(shares, where, "the probabilities")
    return shares


def _weight(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ModelError(f"{value!r} is not a weight", where=where, do="give numbers from 0 to 1 that add up to one")
    return float(value)


def _keys(
    given: Mapping[str, object], where: str, needed: Collection[str], allowed: Collection[str] = ()
) -> Mapping[str, object]:
    for key in given:
        if key not in needed and key not in allowed:
            near = get_close_matches(key, [*needed, *allowed], 1)
            do = f"did you mean {near[0]!r}?" if near else f"what may stand here: {', '.join((*needed, *allowed))}"
            raise ModelError(f"nothing is called {key!r} here", where=where, do=do)
    for key in needed:
        if key not in given:
            if key == "D":
                do = "give the number declared; 0 if nothing was"
                raise ModelError("a declaration without a number", where=f"{where}: D", do=do)
            raise ModelError(f"{key!r} is missing", where=where, do=f"give `{key}`")
    return given


def _same_length(rows: Sequence[Sequence[object]], where: str, many: str) -> None:
    for k, row in enumerate(rows):
        if len(row) != len(rows[0]):
            what = f"{len(row)} {many}, and the first site has {len(rows[0])}"
            raise ModelError(what, where=f"{where}[{k}]", do=f"give every site as many {many}")


def _check_numbers(value: object, where: str, depth: int = 0) -> None:
    """No number that arithmetic would choke on, and no nesting without end."""
    if depth > DEEPEST:
        raise ModelError("lists within lists without end", where=where)
    if isinstance(value, dict):
        for key, item in value.items():
            _check_numbers(item, f"{where}: {key}" if depth == 0 else f"{where}.{key}", depth + 1)
    elif isinstance(value, (list, tuple)):
        for k, item in enumerate(value):
            _check_numbers(item, f"{where}[{k}]", depth + 1)
    elif isinstance(value, (int, float)) and not -LARGEST <= value <= LARGEST:
        what = "is not a number" if value != value else "is too large a number"  # noqa: PLR0124 - only NaN differs from itself
        raise ModelError(f"this {what}", where=where, do="give a number that a count or a probability can have")


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list, tuple)):
        return "an object" if isinstance(value, dict) else "a list"
    return repr(value)
