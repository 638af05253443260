"""The known data sets: their files by sha256, and where they can be had."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from trainyard_cli.errors import WrongInput

TRAIN_IMAGES: Final = "train-images-idx3-ubyte"
TRAIN_LABELS: Final = "train-labels-idx1-ubyte"
TEST_IMAGES: Final = "t10k-images-idx3-ubyte"
TEST_LABELS: Final = "t10k-labels-idx1-ubyte"


@dataclass(frozen=True)
class KnownSet:
    """A data set by its files."""

    name: str
    digests: MappingProxyType[str, str]
    """sha256 of each uncompressed file, by its name."""
    classes: tuple[str, ...] = ()
    """Names of the classes; empty where the labels speak for themselves."""


def _table(name: str, digest: str) -> KnownSet:
    """A data set that is one csv file of its name."""
    return KnownSet(name, MappingProxyType({f"{name}.csv": digest}))


MNIST: Final = KnownSet(
    "mnist",
    MappingProxyType(
        {
            TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        }
    ),
)
FASHION_MNIST: Final = KnownSet(
    "fashion-mnist",
    MappingProxyType(
        {
            TRAIN_IMAGES: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            TRAIN_LABELS: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            TEST_IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            TEST_LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        }
    ),
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
)
PICTURES: Final = (MNIST, FASHION_MNIST)
"""Sets of 60,000 training and 10,000 test images of 28 by 28 pixels, as four idx files."""
BREAST_CANCER: Final = _table(
    "breast-cancer", "7e115a871fc47b0002ff74842ddb6b61b08baf51b137f171c34af4d053c0b081"
)
PENGUINS: Final = _table(
    "penguins", "78cf4a881120919808bc9a93fb87f1c50e5a74f96115b5adf62d0b80cb81bef1"
)
FORTUNES: Final = _table(
    "fortunes", "e4f5b7fae2f97aafa262a3e484a612eac420527b26c02ec8e4a99e0b7f586001"
)
SEATTLE_WEATHER: Final = _table(
    "seattle-weather", "0845078a290b48e3149ab8639966824110a251db4e06fc144c06ebb534af23be"
)
KNOWN: Final = (*PICTURES, BREAST_CANCER, PENGUINS, FORTUNES, SEATTLE_WEATHER)


def find_set(name: str) -> KnownSet:
    """The data set of that name; Keras' spelling with an underscore is understood.

    Raises:
        WrongInput: there is none.
    """
    for known in KNOWN:
        if known.name == name.replace("_", "-"):
            return known
    listed = ", ".join(known.name for known in KNOWN)
    raise WrongInput(f"{name} is no data set that can be fetched; choose one of: {listed}")


def class_names(labels_digest: str) -> tuple[str, ...]:
    """Names of the classes of the data set whose test labels have that digest; empty: unknown."""
    for known in PICTURES:
        if known.digests[TEST_LABELS] == labels_digest:
            return known.classes
    return ()
