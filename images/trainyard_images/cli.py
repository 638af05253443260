"""The command line: reads its arguments and hands over."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from trainyard_images import base
from trainyard_images.build import Built, Order, build
from trainyard_images.catalogue import NAMES
from trainyard_images.console import Console
from trainyard_images.errors import ImagesError
from trainyard_images.lock import held
from trainyard_images.places import REPOSITORY, Places
from trainyard_images.store import Store, check_machine

PROGRAM = "trainyard_images"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs a command; exits with 0, 1 (it failed), 2 (wrong arguments) or 130 (interrupted)."""
    # A plain kill is treated like Ctrl-C: programs are ended and folders removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except ImagesError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted; layers that were finished are kept", file=sys.stderr)
        sys.exit(130)
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {PROGRAM}",
        description="Build Trainyard's images, and generate its manifests.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_build(commands)
    made = commands.add_parser("base", help="make the image that the others are built on")
    made.add_argument("--fresh", action="store_true", help="again, from the packages of today")
    made.set_defaults(run=_run_base)
    listed = commands.add_parser("list", help="list the images in the store")
    listed.add_argument("--json", action="store_true", help="as JSON")
    listed.set_defaults(run=_run_list)
    generated = commands.add_parser(
        "generate", help="write the files that are generated: CRD, manifests, requirements"
    )
    generated.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 with a diff if one is stale"
    )
    generated.set_defaults(run=_run_generate)
    return parser


def _add_build(commands: Any) -> None:
    parser = commands.add_parser("build", help="build images, and push them")
    add = parser.add_argument
    add("names", nargs="*", metavar="IMAGE", help=f"{', '.join(NAMES)} (default: all)")
    add("--push", metavar="REGISTRY", help="push to this registry, as HOST:PORT")
    add("--tag", help="tag (default: a digest of the content); 'latest' is set as well")
    add("--base", metavar="IMAGE", help="build on this image instead of a debootstrap of Debian")
    add(
        "--build-arg",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help='a build argument, for example TENSORFLOW="tensorflow[and-cuda]"',
    )
    add("--json", action="store_true", help="print the images as values for helm")
    parser.set_defaults(run=_run_build)


def _run_build(options: argparse.Namespace) -> int:
    if unknown := [name for name in options.names if name not in NAMES]:
        raise ImagesError(f"there is no image {', '.join(unknown)}; there are {', '.join(NAMES)}")
    pairs = [pair.partition("=") for pair in options.build_arg]
    check_machine()
    order = Order(
        root=REPOSITORY,
        names=options.names or NAMES,
        base=options.base,
        arguments={key: value for key, _, value in pairs},
        tag=options.tag,
        registry=options.push,
    )
    images = build(Places.from_environment(), order, Console())
    if options.json:
        print(json.dumps(helm_values(images), indent=2))
    else:
        for image in images:
            print(f"{image.repository}:{image.tag}  {image.bytes / 1e6:.0f} MB")
    return 0


def helm_values(images: Sequence[Built]) -> dict[str, dict[str, dict[str, str]]]:
    """The images as values of the chart: `helm install --values FILE` takes them."""
    return {
        "images": {
            image.name: {"repository": image.repository, "tag": image.tag} for image in images
        }
    }


def _run_base(options: argparse.Namespace) -> int:
    check_machine()
    places, console = Places.from_environment(), Console()
    with held(places.lock, console):
        made = base.ensure(places, Store(places), console, fresh=options.fresh)
    print(f"{base.base_name()}  {made.bytes / 1e6:.0f} MB")
    return 0


def _run_list(options: argparse.Namespace) -> int:
    check_machine()
    images = Store(Places.from_environment()).images()
    rows = [(name, image) for image in images for name in image.names]
    if options.json:
        listed = [{"name": n, "bytes": i.bytes, "created": i.created} for n, i in rows]
        print(json.dumps(listed, indent=2))
    else:
        for name, image in rows:
            print(f"{name:<50} {image.bytes / 1e6:>7.0f} MB  {image.created}")
    return 0


def _run_generate(options: argparse.Namespace) -> int:
    # It needs packages that a machine which only builds images may lack.
    from trainyard_images.generate import generate

    return generate(REPOSITORY, Places.from_environment(), check=options.check)
