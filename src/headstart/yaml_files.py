"""YAML that a user wrote: one mapping of settings, read within bounds.

A few bytes of YAML can stand for gigabytes (aliases that repeat each other), and the same key twice silently means
the last one. So aliases, repeated keys, deep nesting and large files are refused; a date stays the text that it is.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from headstart.errors import InputError, parsing
from headstart.files import open_regular

_MOST_BYTES = 1_000_000
_DEEPEST = 20
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


def read_settings(path: Path, what: str, kind: type[InputError] = InputError) -> dict[str, Any]:
    """Read a YAML file of settings by name.

    Args:
        path: of the file.
        what: it is, such as "the recipe".
        kind: of the error.

    Returns:
        The settings; empty if the file is.

    Raises:
        InputError: of the given kind: the file cannot be read, is not such YAML, or holds no names.
    """
    with parsing(path, what, "check the path and its permissions", kind), open_regular(path) as file:
        content = file.read(_MOST_BYTES + 1)
    return settings_of(content, str(path), what, kind)


def settings_of(content: bytes, where: str, what: str, kind: type[InputError] = InputError) -> dict[str, Any]:
    """The settings in YAML that was read.

    Args:
        content: UTF-8.
        where: it stands, for messages.
        what: it is, such as "the recipe".
        kind: of the error.

    Returns:
        The settings; empty if the content is.

    Raises:
        InputError: of the given kind: it is not such YAML, or holds no names.
    """
    import yaml

    if len(content) > _MOST_BYTES:
        raise kind(
            f"{what} {where} is longer than {_MOST_BYTES // 1_000_000} MB: that is no file of settings"
        )
    with parsing(where, "YAML in UTF-8", "correct it", kind):
        try:
            settings = yaml.load(content.decode("utf-8-sig"), _loader())
        except yaml.MarkedYAMLError as error:
            line = "" if error.problem_mark is None else f", line {error.problem_mark.line + 1}"
            raise kind(f"{what} {where} is not YAML{line}: {error.problem}") from None
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise kind(f"{what} {where} must hold settings by name, such as 'epochs: 10'")
    return {str(name): value for name, value in settings.items()}


@cache
def _loader() -> Any:
    """The loader, a class of yaml, which is imported only when YAML is read."""
    import yaml

    class Loader(yaml.SafeLoader):
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
                problem = "anchors (&) and aliases (*) are not read: write the value where it is used"
                raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
            if self.depth >= _DEEPEST:
                problem = f"nested deeper than {_DEEPEST} levels"
                raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
            self.depth += 1
            try:
                return super().compose_node(parent, index)
            finally:
                self.depth -= 1

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen: set[tuple[str, str]] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if (key.tag, key.value) in seen:
                        problem = f"'{key.value}' is given twice"
                        raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                    seen.add((key.tag, key.value))
            made: dict[Any, Any] = super().construct_mapping(node, deep)
            return made

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader
