"""From formulas to operators, or the reason why a formula cannot be monitored.

Monitorable is what is range-restricted (safe, in the words of databases): each variable takes its values from events, so that
a verdict is a finite set of rows. `historically`, `always`, `implies` and negations are rewritten where that helps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tallybook.formula.conjunction import (
    Conjunction,
    Stage,
    Test,
    all_tests,
    any_test,
    comparison,
    copied,
    join,
    member,
    membership,
    not_test,
    tested,
)
from tallybook.formula.future import EventuallyButOf, EventuallyOf, UntilOf
from tallybook.formula.nodes import (
    Always,
    And,
    Compare,
    Eventually,
    Exists,
    Formula,
    FormulaError,
    Historically,
    Implies,
    Not,
    Once,
    Or,
    Predicate,
    Since,
    Until,
    Variable,
    free,
)
from tallybook.formula.operators import Atom, Blend, Constant, Negation, Operator, Projection
from tallybook.formula.past import OnceButOf, OnceOf, SinceOf
from tallybook.formula.plain import as_text
from tallybook.formula.values import compared, encoded

MOST_TRIES = 20_000


class NotMonitorableError(FormulaError):
    """A formula that has no finite set of rows at each time-point: str() says which variable is at large and what to do."""


def compiled(formula: Formula) -> Operator:
    """The operator of a formula; its results are finite. Raises NotMonitorableError."""
    compiler = _Compiler()
    operator = compiler.compile(formula)
    if not operator.finite:
        raise NotMonitorableError(_at_large(formula, free(formula)))
    return operator


def _shown(formula: Formula) -> str:
    text = as_text(formula)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _at_large(formula: Formula, names: Sequence[str]) -> str:
    several = len(names) > 1
    return (
        f"`{_shown(formula)}` does not say which values {', '.join(names)} may take; "
        f"join it by `and` with a formula that does, such as an event with {'them' if several else names[0]}, "
        f"or bind {'them' if several else 'it'} by `exists` inside"
    )


def negated(formula: Formula) -> Formula:
    """The negation, with `not` pushed inwards by one step where that takes no time operator apart."""
    if isinstance(formula, Not):
        return formula.part
    if isinstance(formula, Or):
        return And(tuple(negated(part) for part in formula.parts))
    if isinstance(formula, Implies):
        return And((formula.left, negated(formula.right)))
    return Not(formula)


def _conjuncts(formula: Formula) -> list[Formula]:
    """What must hold together: conjunctions inside conjunctions are taken apart."""
    if isinstance(formula, And):
        return [conjunct for part in formula.parts for conjunct in _conjuncts(part)]
    if isinstance(formula, Not) and isinstance(formula.part, Not | Or | Implies):
        return _conjuncts(negated(formula.part))
    return [formula]


class _Compiler:
    """Compiles one formula; counts its tries, since rewriting may try a part more than once."""

    def __init__(self) -> None:
        self.tries = 0

    def compile(self, formula: Formula) -> Operator:
        self.tries += 1
        if self.tries > MOST_TRIES:
            raise FormulaError("the formula is too intricate to rewrite; put its negations closer to the events")
        if isinstance(formula, Predicate):
            return Atom(formula)
        if isinstance(formula, Compare):
            return self._compare(formula)
        if isinstance(formula, And):
            return self._and(formula)
        if isinstance(formula, Or | Implies):
            return self._or(formula)
        if isinstance(formula, Not):
            return self._not(formula)
        if isinstance(formula, Exists):
            return self._exists(formula)
        if isinstance(formula, Historically | Always):
            dual = Once if isinstance(formula, Historically) else Eventually
            return Negation(self.compile(dual(formula.window, negated(formula.part))))
        if isinstance(formula, Once | Eventually):
            part = self.compile(formula.part)
            if isinstance(formula, Once):
                return OnceOf(formula.window, part) if part.finite else OnceButOf(formula.window, part)
            return EventuallyOf(formula.window, part) if part.finite else EventuallyButOf(formula.window, part)
        return self._since(formula)

    def _compare(self, formula: Compare) -> Operator:
        names = free(formula)
        if names:
            raise NotMonitorableError(_at_large(formula, names))
        return Constant(compared(encoded(formula.left), formula.sign, encoded(formula.right)))  # type: ignore[arg-type]

    def _not(self, formula: Not) -> Operator:
        inside = negated(formula.part)
        if not isinstance(inside, Not):
            return self.compile(inside)
        return Negation(self.compile(formula.part))

    def _exists(self, formula: Exists) -> Operator:
        inner = free(formula.part)
        idle = [name for name in formula.variables if name not in inner]
        if idle:
            raise NotMonitorableError(f"`{_shown(formula)}`: {', '.join(idle)} does not occur inside; leave it out")
        part = self.compile(formula.part)
        if not part.finite:
            raise NotMonitorableError(_at_large(formula.part, formula.variables))
        return Projection(part, tuple(name for name in part.columns if name not in formula.variables))

    def _since(self, formula: Since | Until) -> Operator:
        word = type(formula).__name__.lower()
        right = self.compile(formula.right)
        if not right.finite:
            raise NotMonitorableError(_at_large(formula.right, free(formula.right)))
        loose = [name for name in free(formula.left) if name not in right.columns]
        if loose:
            raise NotMonitorableError(
                f"`{_shown(formula)}`: {', '.join(loose)} stands left of `{word}` and not right of it; "
                f"bind it there, or by `exists` on the left"
            )
        left = self.compile(formula.left)
        return SinceOf(formula.window, left, right) if isinstance(formula, Since) else UntilOf(formula.window, left, right)

    def _or(self, formula: Or | Implies) -> Operator:
        parts = formula.parts if isinstance(formula, Or) else (negated(formula.left), formula.right)
        columns = free(formula)
        failure: NotMonitorableError
        try:
            operators = [self.compile(part) for part in parts]
            uneven = [op for op in operators if op.columns and set(op.columns) != set(columns)]
            if not uneven:
                return Blend(operators, columns, every=False)
            missing = [name for name in columns if name not in uneven[0].columns]
            failure = NotMonitorableError(
                f"`{_shown(formula)}`: every side needs the same variables, and {', '.join(missing)} is missing on one; "
                f"bind it there too, or join the whole by `and` with a formula that binds all"
            )
        except NotMonitorableError as error:
            failure = error
        try:
            return Negation(self._and(And(tuple(negated(part) for part in parts))))
        except NotMonitorableError:
            raise failure from None

    def _and(self, formula: And) -> Operator:
        conjuncts = _conjuncts(formula)
        plan = _Plan(self)
        try:
            return plan.made(conjuncts)
        except NotMonitorableError as failure:
            columns = free(formula)
            try:
                operators = [self.compile(part) for part in conjuncts]
            except NotMonitorableError:
                raise failure from None
            if any(op.columns and set(op.columns) != set(columns) for op in operators):
                raise
            return Blend(operators, columns, every=True)


class _Plan:
    """The order in which a conjunction is worked out."""

    def __init__(self, compiler: _Compiler) -> None:
        self.compiler = compiler
        self.parts: list[Operator] = []
        self.stages: list[Stage] = []
        self.columns: tuple[str, ...] = ()

    def made(self, conjuncts: Sequence[Formula]) -> Operator:
        """Raises NotMonitorableError where some variable is bound by no conjunct."""
        finite, tests = self._sorted(conjuncts)
        while finite or tests:
            ready = next((test for test in tests if set(free(test)) <= set(self.columns)), None)
            if ready is not None:
                tests.remove(ready)
                self._test(ready)
            elif not self._copy(tests):
                if not finite:
                    names = [name for name in free(tests[0]) if name not in self.columns]
                    raise NotMonitorableError(_at_large(tests[0], names))
                # What shares a variable comes first, events before what is kept over time.
                finite.sort(key=lambda op: (not set(op.columns) & set(self.columns), op.live, not isinstance(op, Atom)))
                self._join(finite.pop(0))
        return Conjunction(self.parts, self.stages, self.columns)

    def _sorted(self, conjuncts: Sequence[Formula]) -> tuple[list[Operator], list[Formula]]:
        finite: list[Operator] = []
        tests: list[Formula] = []
        for conjunct in conjuncts:
            try:
                operator = None if isinstance(conjunct, Compare) else self.compiler.compile(conjunct)
            except NotMonitorableError:
                operator = None
            if operator is not None and operator.finite:
                finite.append(operator)
            else:
                tests.append(conjunct)
        return finite, tests

    def _join(self, operator: Operator) -> None:
        self.parts.append(operator)
        stage, self.columns = join(len(self.parts) - 1, self.columns, operator.columns)
        self.stages.append(stage)

    def _copy(self, tests: list[Formula]) -> bool:
        """Bind a variable that must equal one that is bound."""
        for test in tests:
            if isinstance(test, Compare) and test.sign == "=":
                for bound, other in ((test.left, test.right), (test.right, test.left)):
                    if isinstance(bound, Variable) and isinstance(other, Variable) and bound.name in self.columns:
                        self.stages.append(copied(self.columns, bound.name))
                        self.columns += (other.name,)
                        tests.remove(test)
                        return True
        return False

    def _test(self, formula: Formula) -> None:
        inner, wanted = (formula.part, False) if isinstance(formula, Not) else (formula, True)
        if not isinstance(inner, And | Or | Implies | Not | Compare):
            operator = self.compiler.compile(inner)
            self.parts.append(operator)
            self.stages.append(membership(len(self.parts) - 1, self.columns, operator.columns, wanted=wanted))
        else:
            self.stages.append(tested(self._tested(formula)))

    def _tested(self, formula: Formula) -> Test:
        if isinstance(formula, Compare):
            return comparison(self.columns, formula.left, formula.sign, formula.right)
        if isinstance(formula, Not):
            return not_test(self._tested(formula.part))
        if isinstance(formula, And | Or):
            gather: Callable[[Sequence[Test]], Test] = all_tests if isinstance(formula, And) else any_test
            return gather([self._tested(part) for part in formula.parts])
        if isinstance(formula, Implies):
            return any_test([not_test(self._tested(formula.left)), self._tested(formula.right)])
        operator = self.compiler.compile(formula)
        self.parts.append(operator)
        return member(len(self.parts) - 1, self.columns, operator.columns)
