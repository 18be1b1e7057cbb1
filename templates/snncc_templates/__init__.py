"""Every template of snncc, and the one function that renders them."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


def render(template: str, **values: object) -> str:
    """The template (path below this package, such as `c/model.c.j2`) with its values.

    Values are escaped in templates of HTML only. A name that the template uses and `values` lacks
    raises `jinja2.UndefinedError`.
    """
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=select_autoescape(("html.j2",), default=False),
        loader=PackageLoader("snncc_templates", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
