"""The rules of Pulumi's registry for a package, as far as a tree can show them before it is released.

Sources, in https://github.com/pulumi/registry: `tools/resourcedocsgen/cmd/metadata.go` refuses a package,
`scripts/ci/community-package/{verify_entry,doc_lint,sdk_install_probe}.py` report on its pull request, and a maintainer
checks `docs/{adding-a-new-package,overview-page}.md`. Releases and published packages are not checked here.

Each rule yields what it finds, one sentence for each finding.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
ENTRY = "docs/registry/package-list-entry.json"
PUBLISHERS = "docs/registry/publisher-names-entry.json"
SCHEMA = "schema.json"
INDEX = "docs/_index.md"
INSTALLATION = "docs/installation-configuration.md"
PAGES = (INDEX, INSTALLATION)

CATEGORIES = {"cloud", "database", "infrastructure", "monitoring", "network", "utility", "vcs"}
PROGRAMS = ("typescript", "python", "go", "csharp", "java", "yaml")
"""The languages of the examples."""
TABS = (*PROGRAMS, "hcl")
"""The languages of which the installation section has a tab."""

_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_SLUG = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_PACKAGE = re.compile(r"[A-Za-z0-9._@/-]+")
_FRONT_MATTER = re.compile(r"---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_BREAKS_ON_THE_SITE = (
    (re.compile(r"""<img[^>]+src=["'](?!https?:)"""), "an image with a relative address"),
    (re.compile(r"!\[[^\]]*\]\((?!https?:)"), "an image with a relative address"),
    (re.compile(r"""<a[^>]+href=["'][./]"""), "a raw link with a relative address"),
    (re.compile(r"\]\((?!https?:)[^)]*\.md[)#]"), "a link to an .md file"),
)


@dataclass(frozen=True)
class Tree:
    """The files of a package in a folder."""

    root: Path

    def text(self, name: str) -> str:
        """The text of a file. Raises OSError, UnicodeDecodeError."""
        return (self.root / name).read_text(encoding="utf-8")

    def json(self, name: str) -> dict[str, Any]:
        """The object in a JSON file. Raises what `text` raises, and ValueError for anything else."""
        found = json.loads(self.text(name))
        if not isinstance(found, dict):
            raise ValueError(name)  # noqa: TRY004 - as for a file that is no JSON
        return found

    @property
    def schema(self) -> dict[str, Any]:
        """The schema."""
        return self.json(SCHEMA)

    @property
    def slug(self) -> str:
        """`owner/name` of the repository."""
        return str(self.json(ENTRY).get("repoSlug", ""))


def files(tree: Tree) -> Iterator[str]:
    """The files that the registry reads, and those of the pull request, can be read."""
    for name in (ENTRY, PUBLISHERS, SCHEMA, *PAGES):
        try:
            tree.json(name) if name.endswith(".json") else tree.text(name)
        except OSError:
            yield f"{name} is missing."
        except ValueError:
            yield f"{name} is not {'a JSON object' if name.endswith('.json') else 'UTF-8 text'}."


def entry(tree: Tree) -> Iterator[str]:
    """The entry of the package list names the repository and the schema, and nothing else."""
    found = tree.json(ENTRY)
    if set(found) != {"repoSlug", "schemaFile"}:
        yield f"{ENTRY}: The members must be repoSlug and schemaFile."
    if not _SLUG.fullmatch(tree.slug):
        yield f"{ENTRY}: repoSlug must be <owner>/<repository>."
    if found.get("schemaFile") != SCHEMA:
        yield f"{ENTRY}: schemaFile must be {SCHEMA}."


def name(tree: Tree) -> Iterator[str]:
    """The package is named as its repository is, without `pulumi-`."""
    expected = tree.slug.rpartition("/")[2].replace("pulumi-", "")
    if tree.schema.get("name") != expected:
        yield f"{SCHEMA}: name must be {expected}, as the repository {tree.slug} is named."


def description(tree: Tree) -> Iterator[str]:
    """What the registry shows of the package is filled in, and the version is a semantic one."""
    for member in ("displayName", "description", "publisher", "license"):
        if not str(tree.schema.get(member, "")).strip():
            yield f"{SCHEMA}: {member} is missing."
    if not _VERSION.fullmatch(str(tree.schema.get("version", ""))):
        yield f"{SCHEMA}: version must be a semantic version."


def keywords(tree: Tree) -> Iterator[str]:
    """The keywords name one known category, and the kind of the package."""
    found = [str(keyword) for keyword in tree.schema.get("keywords", [])]
    categories = [keyword.removeprefix("category/") for keyword in found if keyword.startswith("category/")]
    if len(categories) != 1 or not CATEGORIES.issuperset(categories):
        yield f"{SCHEMA}: keywords must have one of {', '.join(f'category/{one}' for one in sorted(CATEGORIES))}."
    if "kind/native" not in found:
        yield f"{SCHEMA}: keywords must have kind/native."


def publisher(tree: Tree) -> Iterator[str]:
    """The publisher, who is new to the registry, is added to its list of names."""
    if list(tree.json(PUBLISHERS)) != [tree.schema.get("publisher")]:
        yield f"{PUBLISHERS}: The one name must be the publisher of {SCHEMA}."


def addresses(tree: Tree) -> Iterator[str]:
    """The addresses are absolute, of this repository, and in the form that the engine understands."""
    owner, _, repository = tree.slug.partition("/")
    if tree.schema.get("repository") != f"https://github.com/{tree.slug}":
        yield f"{SCHEMA}: repository must be https://github.com/{tree.slug}."
    if not str(tree.schema.get("homepage", "")).startswith("https://"):
        yield f"{SCHEMA}: homepage must be an https:// address."
    # The engine adds `pulumi-` and the name of the package if the address has the owner alone.
    downloads = {f"github://api.github.com/{owner}", f"github://api.github.com/{owner}/{repository}"}
    if tree.schema.get("pluginDownloadURL") not in downloads:
        yield f"{SCHEMA}: pluginDownloadURL must be {' or '.join(sorted(downloads))}."


def logo(tree: Tree) -> Iterator[str]:
    """The logo is an SVG of this repository's main branch, and in the tree."""
    host, _, path = str(tree.schema.get("logoUrl", "")).partition(f"/{tree.slug}/main/")
    if host != "https://raw.githubusercontent.com" or not path.endswith(".svg"):
        yield f"{SCHEMA}: logoUrl must be https://raw.githubusercontent.com/{tree.slug}/main/<path>.svg."
    elif not (tree.root / path).is_file() or not tree.text(path).startswith("<svg "):
        yield f"{path}: The logo of {SCHEMA} must be there and begin with <svg."


def packages(tree: Tree) -> Iterator[str]:
    """The packages that the schema advertises have names that can be installed; Go's is below this repository."""
    languages = tree.schema.get("language", {})
    for language in ("nodejs", "python"):
        if not _PACKAGE.fullmatch(str(languages.get(language, {}).get("packageName", ""))):
            yield f"{SCHEMA}: language.{language}.packageName must be the name of a package."
    below = f"github.com/{tree.slug}/sdk/go/"
    path = str(languages.get("go", {}).get("importBasePath", ""))
    if not path.startswith(below) or not _PACKAGE.fullmatch(path.removeprefix(below)):
        yield f"{SCHEMA}: language.go.importBasePath must be {below}<package>."


def examples(tree: Tree) -> Iterator[str]:
    """Each resource and each function has an example in each language."""
    for token, described in {**tree.schema.get("resources", {}), **tree.schema.get("functions", {})}.items():
        shown = {language for language, _ in _FENCED.findall(described.get("description", ""))}
        missing = [language for language in PROGRAMS if language not in shown]
        if missing:
            yield f"{SCHEMA}: {token} has no example in {', '.join(missing)}."


def front_matter(tree: Tree) -> Iterator[str]:
    """Each page begins with YAML front matter: its title, a sentence for search engines, and the layout."""
    for page in PAGES:
        found = _FRONT_MATTER.match(tree.text(page))
        if found is None:
            yield f"{page}: The page must begin with front matter between two lines ---."
            continue
        members = dict(re.findall(r"^(\w+): *[\"']?(.+?)[\"']?$", found[1], re.MULTILINE))
        for member in ("title", "meta_desc"):
            if not members.get(member):
                yield f"{page}: The front matter has no {member}."
        if members.get("layout") != "package":
            yield f"{page}: The layout in the front matter must be package."
        if page == INDEX and members.get("title") != tree.schema.get("displayName"):
            yield f"{page}: The title must be the displayName of {SCHEMA}."


def headings(tree: Tree) -> Iterator[str]:
    """The title of a page is in its front matter alone; the index page has its sections, some on the second page."""
    for page in PAGES:
        for number, line in _prose(tree.text(page)):
            if line.startswith("# "):
                yield f"{page}:{number}: A heading must have two # or more, because the title is the first one."
    if not _section(tree.text(INDEX), "Example Usage"):
        yield f"{INDEX}: The section ## Example Usage is missing."
    for section in ("Installation", "Configuration"):
        if not _on_either_page(tree, section):
            yield f"{INDEX}: The section ## {section} is missing, here and in {INSTALLATION}."


def installation(tree: Tree) -> Iterator[str]:
    """The installation section has a tab for each language."""
    section = _on_either_page(tree, "Installation")
    missing = [language for language in TABS if f"{{{{% choosable language {language} %}}}}" not in section]
    if section and missing:
        yield f"{INDEX}: The section ## Installation has no tab for {', '.join(missing)}."


def usage(tree: Tree) -> Iterator[str]:
    """The example section has a program in each language."""
    section = _section(tree.text(INDEX), "Example Usage")
    shown = {language for language, _ in _FENCED.findall(section)}
    missing = [language for language in PROGRAMS if language not in shown]
    if section and missing:
        yield f"{INDEX}: The section ## Example Usage has no program in {', '.join(missing)}."


def configuration(tree: Tree) -> Iterator[str]:
    """The configuration section names each key."""
    section = _on_either_page(tree, "Configuration")
    keys = tree.schema.get("config", {}).get("variables", {})
    missing = [key for key in keys if f"`{key}`" not in section]
    if section and missing:
        yield f"{INDEX}: The section ## Configuration does not name {', '.join(missing)}."


def choosers(tree: Tree) -> Iterator[str]:
    """`chooser` is written with < and >, `choosable` with % and %, and each that is opened is closed."""
    for page in PAGES:
        text = tree.text(page)
        if re.search(r"\{\{% */?chooser\b|\{\{< */?choosable\b", text):
            yield f"{page}: chooser needs {{{{< … >}}}}, choosable needs {{{{% … %}}}}."
        for word in ("chooser", "choosable"):
            opened, closed = (len(re.findall(rf"\{{\{{[<%] *{slash}{word}\b", text)) for slash in ("", "/"))
            if opened != closed:
                yield f"{page}: {opened} {word} are opened, and {closed} are closed."


def links(tree: Tree) -> Iterator[str]:
    """No page has an image or a link that breaks on the registry's site."""
    for page in PAGES:
        for number, line in enumerate(tree.text(page).splitlines(), 1):
            what = next((what for pattern, what in _BREAKS_ON_THE_SITE if pattern.search(line)), None)
            if what:
                yield f"{page}:{number}: The line has {what}, which breaks on the registry's site."


RULES: tuple[Callable[[Tree], Iterator[str]], ...] = (
    entry,
    name,
    description,
    keywords,
    publisher,
    addresses,
    logo,
    packages,
    examples,
    front_matter,
    headings,
    installation,
    usage,
    configuration,
    choosers,
    links,
)
"""All rules but `files`, which the others rely on."""


def check(root: Path) -> list[str]:
    """Return what the rules find in the tree at `root`; only the missing files if there are any."""
    tree = Tree(root)
    return list(files(tree)) or [finding for rule in RULES for finding in rule(tree)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the findings, and return 1 if there are any."""
    parser = argparse.ArgumentParser(prog="python tools/registry", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("root", nargs="?", type=Path, default=ROOT, help="the folder of the package; default: this one")
    found = check(parser.parse_args(arguments).root)
    for finding in found:
        sys.stdout.write(f"{finding}\n")
    if not found:
        sys.stdout.write(f"The registry's {len(RULES) + 1} rules find nothing.\n")
    return 1 if found else 0


def _section(text: str, heading: str) -> str:
    """The text of the section below a heading of level 2; empty if the page has no such section."""
    lines = text.splitlines(keepends=True)
    starts = [number for number, line in _prose(text) if line.startswith("## ")]
    for start, end in zip(starts, [*starts[1:], len(lines) + 1], strict=True):
        if lines[start - 1].strip() == f"## {heading}":
            return "".join(lines[start - 1 : end - 1])
    return ""


def _on_either_page(tree: Tree, heading: str) -> str:
    """The section on the index page, or on the second page, to which the registry lets it move."""
    return _section(tree.text(INDEX), heading) or _section(tree.text(INSTALLATION), heading)


def _prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines outside of the front matter and of fenced blocks, with their numbers."""
    front = _FRONT_MATTER.match(text)
    body = _blank(front) + text[front.end() :] if front else text
    return enumerate(_FENCED.sub(_blank, body).splitlines(), 1)


def _blank(found: re.Match[str]) -> str:
    """As many empty lines."""
    return "\n" * found[0].count("\n")
