"""Tokens → tree, by recursive descent.

Grammar as in Salesforce's SOQL reference, "conditionExpression" and "fieldExpression": AND and OR don't mix on one
level, and NOT takes the whole of its level.
"""

from accountpulse.sandbox.salesforce.soql import lexer, spans
from accountpulse.sandbox.salesforce.soql.errors import malformed, unsupported
from accountpulse.sandbox.salesforce.soql.lexer import Token
from accountpulse.sandbox.salesforce.soql.syntax import (
    Aggregate,
    Comparison,
    Condition,
    In,
    Junction,
    Like,
    Negation,
    Order,
    Query,
    Span,
    Value,
)

MOST_DIGITS = 9  # of LIMIT and OFFSET, which are 32-bit numbers

_FUNCTIONS = {"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"}
_CLAUSES = {"USING", "WITH", "HAVING", "FOR", "ALL", "UPDATE"}
_COMPARISONS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def parse(text: str) -> Query:
    """The tree of a query; SoqlError MALFORMED_QUERY for what Salesforce or this subset does not take."""
    parser = _Parser(lexer.tokens(text))
    query = parser.query()
    parser.expect_end()
    return query


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0

    # --- tokens ---

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _accept(self, word: str) -> bool:
        """Step over the keyword or mark, if it comes next."""
        token = self._peek()
        if token.keyword() == word or (token.kind in ("mark", "operator") and token.text == word):
            self._take()
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._unexpected(f"expecting {word}")

    def _unexpected(self, hint: str = "") -> Exception:
        token = self._peek()
        if token.keyword() in _CLAUSES:
            return unsupported(token.keyword())
        return malformed(f"unexpected token: '{token.text}' (position {token.position + 1}) {hint}".rstrip())

    def _name(self) -> str:
        if self._peek().kind != "name":
            raise self._unexpected("expecting a name")
        return self._take().text

    def expect_end(self) -> None:
        if self._peek().kind != "end":
            raise self._unexpected()

    # --- clauses ---

    def query(self) -> Query:
        self._expect("SELECT")
        paths, aggregates, children = self._selection()
        self._expect("FROM")
        source = self._name()
        where = self._condition() if self._accept("WHERE") else None
        groups = self._grouping() if self._accept("GROUP") else ()
        order = self._ordering() if self._accept("ORDER") else ()
        limit = self._count() if self._accept("LIMIT") else None
        offset = self._count() if self._accept("OFFSET") else None
        return Query(paths, source, where, order, limit, offset, aggregates, groups, children)

    def _selection(self) -> tuple[tuple[str, ...], tuple[Aggregate, ...], tuple[Query, ...]]:
        selected = [self._selected(0)]
        while self._accept(","):
            selected.append(self._selected(sum(isinstance(each, Aggregate) for each in selected)))
        if None in selected:
            if len(selected) > 1:
                raise malformed("COUNT() must be the only thing that is selected")
            return (), (), ()
        paths = tuple(each for each in selected if isinstance(each, str))
        children = tuple(each for each in selected if isinstance(each, Query))
        return paths, tuple(each for each in selected if isinstance(each, Aggregate)), children

    def _selected(self, place: int) -> str | Aggregate | Query | None:
        """A path, a query of child records, a function of a group (expr0, expr1 …), or None for COUNT()."""
        if self._accept("("):
            return self._children()
        name = self._name()
        function = name.upper()
        if function == "TYPEOF":
            raise unsupported("TYPEOF")
        if not self._accept("("):
            return name
        if function == "COUNT" and self._accept(")"):
            return None
        if function not in _FUNCTIONS:
            raise unsupported(f"the function {name}()")
        path = self._name()
        self._expect(")")
        token = self._peek()
        alias = self._take().text if token.kind == "name" and token.keyword() != "FROM" else f"expr{place}"
        return Aggregate(function, path, alias)

    def _children(self) -> Query:
        """A query of child records: one level below its parents, and no groups."""
        inner = self.query()
        self._expect(")")
        if inner.children or inner.aggregates or inner.groups or not inner.paths:
            raise malformed("a query of child records selects fields, and no functions or children of its own")
        return inner

    def _grouping(self) -> tuple[str, ...]:
        self._expect("BY")
        groups = [self._name()]
        while self._accept(","):
            groups.append(self._name())
        return tuple(groups)

    def _ordering(self) -> tuple[Order, ...]:
        self._expect("BY")
        orders = [self._order()]
        while self._accept(","):
            orders.append(self._order())
        return tuple(orders)

    def _order(self) -> Order:
        path = self._name()
        descending = self._accept("DESC")
        if not descending:
            self._accept("ASC")
        nulls_last = False
        if self._accept("NULLS"):
            nulls_last = self._accept("LAST")
            if not nulls_last:
                self._expect("FIRST")
        return Order(path, descending, nulls_last)

    def _count(self) -> int:
        token = self._peek()
        if token.kind != "number" or not token.text.isdigit():
            raise self._unexpected("expecting a whole number")
        if len(token.text) > MOST_DIGITS:
            raise malformed(f"numeric value out of range: {token.text[:20]}")
        return int(self._take().text)

    # --- conditions ---

    def _condition(self) -> Condition:
        """One level: a single NOT, or operands joined by AND alone or by OR alone."""
        if self._accept("NOT"):
            return Negation(self._operand())
        parts = [self._operand()]
        word = self._peek().keyword()
        if word not in ("AND", "OR"):
            return parts[0]
        while self._accept(word):
            parts.append(self._operand())
        if self._peek().keyword() in ("AND", "OR"):
            raise self._unexpected(": AND and OR need brackets around one of them")
        if word == "OR" and any(isinstance(part, In) and isinstance(part.values, Query) for part in parts):
            raise malformed("Semi join sub-selects are not allowed with the 'OR' operator")
        return Junction(word, tuple(parts))

    def _operand(self) -> Condition:
        if self._accept("("):
            inner = self._condition()
            self._expect(")")
            return inner
        if self._peek().keyword() == "NOT":
            raise self._unexpected(": NOT needs brackets around itself and its condition")
        return self._comparison()

    def _comparison(self) -> Condition:
        path = self._name()
        if self._accept("("):
            raise unsupported(f"the function {path}()")
        if self._accept("LIKE"):
            return Like(path, lexer.pattern(self._string()))
        if self._accept("NOT"):
            self._expect("IN")
            return In(path, True, self._members())
        if self._accept("IN"):
            return In(path, False, self._members())
        if self._peek().keyword() in ("INCLUDES", "EXCLUDES"):
            raise unsupported(self._peek().keyword())
        if self._peek().kind != "operator":
            raise self._unexpected("expecting an operator")
        return Comparison(path, _COMPARISONS[self._take().text], self._value())

    def _string(self) -> str:
        if self._peek().kind != "string":
            raise self._unexpected("expecting a quoted string")
        return self._take().text

    def _members(self) -> tuple[Value, ...] | Query:
        self._expect("(")
        found: tuple[Value, ...] | Query
        if self._peek().keyword() == "SELECT":
            found = self.query()
        else:
            values = [self._value()]
            while self._accept(","):
                values.append(self._value())
            found = tuple(values)
        self._expect(")")
        return found

    def _value(self) -> Value:
        token = self._peek()
        value: Value
        if token.kind == "string":
            value = lexer.string(token.text)
        elif token.kind == "number":
            value = float(token.text)
        elif token.kind == "date":
            value = lexer.day(token.text)
        elif token.kind == "datetime":
            value = lexer.instant(token.text)
        elif token.keyword() in ("TRUE", "FALSE"):
            value = token.keyword() == "TRUE"
        elif token.keyword() == "NULL":
            value = None
        elif spans.known(token.keyword()):
            return self._span()
        else:
            raise self._unexpected("expecting a value")
        self._take()
        return value

    def _span(self) -> Span:
        """A date literal, with its number where it takes one."""
        word = self._take().keyword()
        number = self._count() if self._accept(":") else None
        if number is not None and not spans.counted(word):
            raise malformed(f"{word} takes no number")
        return spans.checked(word, number)
