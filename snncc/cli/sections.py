"""Help texts of commands with many options, under headings."""

from collections.abc import Mapping

import click


def sectioned(sections: Mapping[str, tuple[str, ...]]) -> type[click.Command]:
    """A class of commands whose help has a heading for each section, with its parameters' names.

    Options that no section names, such as --help, go to the last.
    """

    class Sectioned(click.Command):
        def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
            records = {
                parameter.name: record
                for parameter in self.get_params(context)
                if isinstance(parameter, click.Option)
                and (record := parameter.get_help_record(context)) is not None
            }
            named = {name for names in sections.values() for name in names}
            rest = [record for name, record in records.items() if name not in named]
            *others, last = sections
            for title in (*others, last):
                rows = [records[name] for name in sections[title]]
                with formatter.section(title):
                    formatter.write_dl(rows + (rest if title == last else []))

    return Sectioned
