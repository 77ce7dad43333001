"""Says what revision files do to a schema: python -c … FOLDER FILE...

Prints a JSON list, a list of changes per file. Nothing is imported or run: the files are read as Python's own ast has them."""

import ast
import json
import os
import re
import sys

ADDS = {"create_table", "create_index", "create_table_comment", "f", "get_bind", "get_context", "batch_alter_table"}
DATA = re.compile(r"\s*(?:WITH\b.*?\b)?(INSERT|UPDATE|DELETE|REPLACE|TRUNCATE)\b", re.IGNORECASE | re.DOTALL)


def text(node):
    """A name that is written down; None for one that is computed."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("f", "text") and node.args:
        node = node.args[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def is_false(node):
    return isinstance(node, ast.Constant) and node.value is False


def is_true(node):
    return isinstance(node, ast.Constant) and node.value is True


class Changes(ast.NodeVisitor):
    def __init__(self):
        self.found = []
        self.batches = {}

    def visit_FunctionDef(self, node):
        if node.name != "downgrade":
            self.generic_visit(node)

    def visit_With(self, node):
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "batch_alter_table":
                if isinstance(item.optional_vars, ast.Name):
                    self.batches[item.optional_vars.id] = text(call.args[0]) if call.args else None
        self.generic_visit(node)

    def visit_Call(self, node):
        self.generic_visit(node)
        if not isinstance(node.func, ast.Attribute):
            return
        owner, does = node.func.value, node.func.attr
        name = owner.id if isinstance(owner, ast.Name) else None
        if name in self.batches:
            self.change(node, does, self.batches[name], node.args)
        elif name == "op":
            first = {"create_index": 1, "create_unique_constraint": 1, "drop_constraint": 1, "drop_index": None}.get(does, 0)
            keywords = {word.arg: word.value for word in node.keywords}
            table = keywords.get("table_name") if first is None or len(node.args) <= first else node.args[first]
            rest = node.args if first is None else node.args[:first] + node.args[first + 1:]
            self.change(node, does, None if table is None else text(table), rest)
        elif does in ("execute", "exec_driver_sql"):
            # Over a connection of the revision's own.
            self.execute(node, node.args)

    def add(self, node, kind, table=None, columns=(), detail=None):
        self.found.append(
            {"line": node.lineno, "kind": kind, "table": table, "columns": [column for column in columns if column], "detail": detail})

    def execute(self, node, arguments):
        statement = text(arguments[0]) if arguments else None
        data = arguments and isinstance(arguments[0], ast.Call) and any(
            word in ast.unparse(arguments[0]) for word in (".update(", ".insert(", ".delete("))
        self.add(node, "data" if data or (statement and DATA.match(statement)) else "statement", detail=statement)

    def change(self, node, does, table, arguments):
        keywords = {word.arg: word.value for word in node.keywords}
        if does == "execute":
            self.execute(node, node.args)
        elif does == "bulk_insert":
            self.add(node, "data")
        elif does == "drop_table":
            self.add(node, "drop-table", table)
        elif does == "drop_column":
            self.add(node, "drop-column", table, [text(arguments[0])] if arguments else [])
        elif does == "drop_index":
            self.add(node, "drop-index", table, detail=text(arguments[0]) if arguments else None)
        elif does == "add_column":
            column = arguments[0] if arguments and isinstance(arguments[0], ast.Call) else None
            options = {word.arg: word.value for word in column.keywords} if column else {}
            must = is_false(options.get("nullable")) and "server_default" not in options
            self.add(node, "add-required" if must else "add", table, [text(column.args[0])] if column and column.args else [])
        elif does == "alter_column":
            column = [text(arguments[0])] if arguments else []
            if is_false(keywords.get("nullable")):
                self.add(node, "require", table, column)
            if "type_" in keywords:
                self.add(node, "retype", table, column, ast.unparse(keywords["type_"]))
            if not is_false(keywords.get("nullable")) and "type_" not in keywords:
                self.add(node, "other", table, column)
        elif does == "create_unique_constraint" or (does == "create_index" and is_true(keywords.get("unique"))):
            columns = next((item for item in arguments if isinstance(item, (ast.List, ast.Tuple))), keywords.get("columns"))
            self.add(node, "unique", table, [text(column) for column in columns.elts] if isinstance(columns, (ast.List, ast.Tuple)) else [])
        elif does == "drop_constraint":
            self.add(node, "drop-constraint", table)
        elif does in ADDS:
            self.add(node, "add", table)
        else:
            self.add(node, "other", table)


def changes(path):
    found = Changes()
    with open(path, "rb") as file:
        try:
            found.visit(ast.parse(file.read()))
        except SyntaxError as error:
            # Alembic will say more of it.
            return [{"line": error.lineno or 1, "kind": "other", "table": None, "columns": [], "detail": None}]
    return found.found


def main(folder, *names):
    json.dump([changes(os.path.join(folder, name)) for name in names], sys.stdout)


main(*sys.argv[1:])
