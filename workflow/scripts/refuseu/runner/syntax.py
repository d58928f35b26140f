"""What a Python source runs, statement by statement, with digests that no version of Python changes.

``ast.dump`` differs between versions: fields come and go, 3.12 cuts f-strings otherwise, 3.13 leaves out what is empty.
Here a node is its name and the fields that hold something, sorted. Left out is what does not run or cannot change a
result: comments, layout, docstrings, positions, imports for type checkers, and annotations. Those in the body of a
class count: dataclasses and typed dicts are made of them.

Only the standard library is imported, so that any interpreter can check its digests.
"""

import ast
import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

NOT_RUN = {"ctx", "kind", "type_comment", "type_ignores"}
FOR_TYPES = {"typing", "collections.abc", "__future__"}  # importing a name from there does nothing
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
# Whoever uses these may use any name of the module.
ANY_NAME = {"globals", "vars", "eval", "exec"}


class Statement(NamedTuple):
    """A statement at the top of a module.

    Attributes
    ----------
    digest : of what it runs
    binds : names that it defines or changes; if none, it runs for everybody
    uses : names that it may read
    imports : what it imports, also late: ``package.module`` or ``package.module.name``
    """

    digest: str
    binds: tuple[str, ...]
    uses: tuple[str, ...]
    imports: tuple[str, ...]


def statements(source: bytes, file: str = "<unknown>") -> list[Statement]:
    """The statements of a module, in order, without those that do not run."""
    found = []
    for node in Running().visit(ast.parse(source, file)).body:
        digest = hashlib.sha256(canonical(node).encode("ascii")).hexdigest()
        uses = used(node)
        binds = () if uses & ANY_NAME and not isinstance(node, FUNCTIONS) else tuple(sorted(bound(node)))
        found.append(Statement(digest, binds, tuple(sorted(uses)), tuple(sorted(set(imported(node))))))
    return found


def canonical(node: object) -> str:
    """A syntax tree as ASCII text."""
    if isinstance(node, ast.Constant):
        return f"{type(node.value).__name__} {node.value!a}"
    if isinstance(node, ast.AST):
        fields = [(name, getattr(node, name, None)) for name in sorted(node._fields) if name not in NOT_RUN]
        held = [f"{name}={canonical(value)}" for name, value in fields if value is not None and value != []]
        return f"{type(node).__name__}({','.join(held)})"
    if isinstance(node, list):
        return f"[{','.join(map(canonical, node))}]"
    return ascii(node)


class Running(ast.NodeTransformer):
    """Takes out of a tree what does not run, and writes in one way what versions of Python write in several."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Docstrings and other texts by themselves."""
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.AST]:
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            return [kept for child in node.orelse for kept in flat(self.visit(child))]
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if node.module in FOR_TYPES else node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Fields keep their annotations."""
        for child in node.body:
            if isinstance(child, ast.AnnAssign):
                child.simple = 2  # not a value that the parser gives
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.simple == 2:
            return self.generic_visit(node)
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign(targets=[node.target], value=node.value))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Texts that follow each other are one, and empty ones none."""
        self.generic_visit(node)
        merged: list[ast.expr] = []
        for value in node.values:
            last = merged[-1] if merged else None
            if not isinstance(value, ast.Constant):
                merged.append(value)
            elif isinstance(last, ast.Constant):
                last.value += value.value  # type: ignore[operator]
            elif value.value:
                merged.append(value)
        node.values = merged
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.format_spec, ast.JoinedStr) and not node.format_spec.values:
            node.format_spec = None
        return node


def flat(visited: ast.AST | list[ast.AST] | None) -> list[ast.AST]:
    """What visiting a node left of it."""
    return visited if isinstance(visited, list) else [visited] if visited else []


def imported(node: ast.AST) -> Iterator[str]:
    """Modules, or names of modules, that a tree imports, at its top or inside a function."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            yield from (alias.name for alias in inner.names)
        elif isinstance(inner, ast.ImportFrom) and inner.module:
            yield from (f"{inner.module}.{alias.name}" for alias in inner.names)


def bound(node: ast.stmt) -> set[str]:
    """Names that a definition, an import or an assignment at the top of a module defines or changes."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.Import() | ast.ImportFrom():
            return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        case ast.Assign():
            return set().union(*map(roots, node.targets))
        case ast.AugAssign():
            return roots(node.target)
    return set()


def roots(target: ast.expr) -> set[str]:
    """``a`` of ``a``, ``a.b``, ``a[0]`` and ``(a, *_)``."""
    match target:
        case ast.Name():
            return {target.id}
        case ast.Attribute() | ast.Subscript() | ast.Starred():
            return roots(target.value)
        case ast.Tuple() | ast.List():
            return set().union(*map(roots, target.elts))
    return set()


def used(node: ast.AST, local: frozenset[str] = frozenset()) -> set[str]:
    """Names outside of a tree that it may read; in doubt one too many.

    Parameters
    ----------
    local : names of the functions around it
    """
    if isinstance(node, ast.Name):
        return {node.id} - local
    if isinstance(node, FUNCTIONS):
        body = node.body if isinstance(node.body, list) else [node.body]
        defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults), *getattr(node, "decorator_list", [])]
        inner = local | own_names(node.args, body)
        return set().union(*(used(child, local) for child in defaults), *(used(child, inner) for child in body))
    return set().union(*(used(child, local) for child in ast.iter_child_nodes(node)))


def own_names(arguments: ast.arguments, body: Sequence[ast.AST]) -> frozenset[str]:
    """Names that belong to a function itself, not to functions, classes or comprehensions inside it."""
    found = {inner.arg for inner in ast.walk(arguments) if isinstance(inner, ast.arg)}
    foreign: set[str] = set()
    waiting: list[ast.AST] = list(body)
    while waiting:
        match node := waiting.pop():
            case ast.Global():
                foreign.update(node.names)
            case ast.Name(ctx=ast.Store()):
                found.add(node.id)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Import() | ast.ImportFrom():
                found |= bound(node)
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                pass
            case _:
                waiting += ast.iter_child_nodes(node)
    return frozenset(found - foreign)
