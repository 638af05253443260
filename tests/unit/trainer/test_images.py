"""Pictures in folders and tables."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from trainyard_api.spec import Data
from trainyard_trainer.data import Dataset, load
from trainyard_trainer.data.pictures import Shape, Size, Unreadable, decode, size_of
from trainyard_trainer.data.residence import Streamed
from trainyard_trainer.data.target import Classes, Quantities
from trainyard_trainer.errors import InvalidData, InvalidSpec


def picture(shade: int = 0, size: tuple[int, int] = (8, 6), mode: str = "RGB") -> Image.Image:
    """Left half of a shade, right half white. Size: width, height."""
    image = Image.new("L", size, shade)
    image.paste(255, (size[0] // 2, 0, size[0], size[1]))
    return image.convert(mode)


def save(path: Path, shade: int = 0, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(shade, **how).save(path)
    return path


def folders(root: Path, count: int = 20, first: int = 0, **how: Any) -> Path:
    for number in range(first, first + count):
        save(root / "dark" / f"{number:02}.png", number, **how)
        save(root / "light" / f"{number:02}.png", 200 + number, **how)
    return root


def read(where: Path, image: dict[str, Any] | None = None, **source: Any) -> Dataset:
    document = {
        "source": {"uri": f"file://{where}"} | source,
        "preprocessing": {"image": image or {}, "scaling": "rescale"},
    }
    return load(Data.model_validate(document), {})


def refusal(where: Path, **source: Any) -> str:
    with pytest.raises(InvalidData) as caught:
        read(where, **source)
    return str(caught.value)


def said(dataset: Dataset) -> str:
    return "\n".join(dataset.notes)


@pytest.mark.parametrize("streaming", ["never", "always"])
def test_a_folder_is_a_class_and_a_picture_a_row(tmp_path: Path, streaming: str) -> None:
    dataset = read(folders(tmp_path), streaming=streaming)

    assert dataset.schema.target == Classes(("dark", "light"))
    assert dataset.shape == (6, 8, 3)
    assert isinstance(dataset.train.source, Streamed) == (streaming == "always")
    assert dataset.train.source.dtype == np.uint8
    assert sum(map(len, (dataset.train, dataset.validation, dataset.test))) == 40
    for part in (dataset.train, dataset.test):
        left = part.features()[:, 0, 0, 0]
        np.testing.assert_array_equal(left >= 200, part.targets == 1)
        # Numbers are those of the files sorted by name.
        np.testing.assert_array_equal(left % 200, part.numbers % 20)


def test_parts_that_are_folders_stay_parts(tmp_path: Path) -> None:
    for first, (part, count) in zip(
        (0, 6, 9), (("train", 6), ("val", 3), ("test", 2)), strict=True
    ):
        folders(tmp_path / part, count, first)
    dataset = read(tmp_path)

    sizes = [len(part) for part in (dataset.train, dataset.validation, dataset.test)]
    assert sizes == [12, 6, 4]


def test_pictures_of_all_kinds_are_read(tmp_path: Path) -> None:
    for number, suffix in enumerate(["jpg", "JPEG", "png", "gif", "bmp", "webp"] * 3):
        save(tmp_path / "dark" / f"{number}.{suffix}", 10)
        save(tmp_path / "light" / f"{number}.{suffix}", 240)
    dataset = read(tmp_path)

    left = dataset.train.features()[:, 3, 1].astype(int)
    wanted = np.where(dataset.train.targets == 1, 240, 10)[:, np.newaxis]
    assert np.abs(left - wanted).max() < 20


def test_grey_pictures_keep_one_channel_unless_one_has_colours(tmp_path: Path) -> None:
    folders(tmp_path, mode="L")
    assert read(tmp_path).shape == (6, 8, 1)
    assert read(tmp_path, {"color": "rgb"}).shape == (6, 8, 3)
    save(tmp_path / "dark" / "colours.png")
    assert read(tmp_path).shape == (6, 8, 3)
    assert read(tmp_path, {"color": "grey"}).shape == (6, 8, 1)


def test_pictures_of_different_sizes_get_their_median_and_a_note(tmp_path: Path) -> None:
    folders(tmp_path, size=(800, 400))
    save(tmp_path / "dark" / "small.png", size=(80, 40))
    dataset = read(tmp_path)

    assert dataset.shape == (112, 224, 3)
    assert "from 40 x 80 to 400 x 800; taken as 112 x 224" in said(dataset)


def test_a_size_of_the_spec_is_taken(tmp_path: Path) -> None:
    folders(tmp_path, 6, size=(40, 20))
    assert read(tmp_path, {"height": 10, "width": 10}).shape == (10, 10, 3)
    assert read(tmp_path, {"height": 10}).shape == (10, 20, 3)
    assert read(tmp_path, {"width": 10}).shape == (5, 10, 3)


def test_foreign_and_hidden_files_and_empty_folders_are_told(tmp_path: Path) -> None:
    folders(tmp_path)
    (tmp_path / "dark" / "Thumbs.db").touch()
    (tmp_path / "dark" / ".DS_Store").touch()
    (tmp_path / "stray.png").touch()
    (tmp_path / "empty").mkdir()
    notes = said(read(tmp_path))

    assert "1 file is no pictures and left out: dark/Thumbs.db" in notes
    assert "in no class's folder and left out: stray.png" in notes
    assert "folders without pictures: empty" in notes
    assert "DS_Store" not in notes


def damaged(root: Path) -> list[Path]:
    """One that is no picture, one that is cut off, one that is empty."""
    other, cut, empty = (root / "dark" / f"bad{number}.png" for number in range(3))
    other.write_bytes(b"not a picture at all")
    content = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8)).save(
        content, "PNG"
    )
    cut.write_bytes(content.getvalue()[:-60])
    empty.touch()
    return [other, cut, empty]


def test_corrupt_pictures_are_left_out_up_to_the_limit(tmp_path: Path) -> None:
    folders(tmp_path)
    bad = damaged(tmp_path)
    dataset = read(tmp_path, maxBadRows=3)

    assert sum(map(len, (dataset.train, dataset.validation, dataset.test))) == 40
    assert "3 rows are left out" in said(dataset)
    for path in bad:
        assert str(path) in said(dataset)
    left = dataset.train.features()[:, 0, 0, 0]
    np.testing.assert_array_equal(left >= 200, dataset.train.targets == 1)


def test_one_corrupt_picture_too_many_ends_the_job_with_names(tmp_path: Path) -> None:
    folders(tmp_path)
    bad = damaged(tmp_path)
    message = refusal(tmp_path, maxBadRows=2)

    assert "3 rows cannot be used, spec.data.source.maxBadRows is 2" in message
    assert all(str(path) in message for path in bad)
    assert "is no picture that is known" in refusal(tmp_path)


def test_a_picture_that_would_fill_the_memory_is_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders(tmp_path)
    save(tmp_path / "dark" / "bomb.png", size=(100, 100))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert "bomb.png has more pixels than are decoded (2000)" in refusal(tmp_path)


def test_a_table_lists_pictures_by_path_and_label(tmp_path: Path) -> None:
    folders(tmp_path / "files")
    lines = [f"files/dark/{n:02}.png,{n / 2}" for n in range(20)]
    (tmp_path / "table.csv").write_text("path,label\n" + "\n".join(lines))
    for dataset in (read(tmp_path), read(tmp_path / "table.csv", format="images")):
        assert dataset.schema.target == Quantities(("value",))
        left = dataset.train.features()[:, 0, 0, 0]
        np.testing.assert_array_equal(left / 2, dataset.train.targets[:, 0])


def test_a_table_whose_picture_is_missing_names_its_line(tmp_path: Path) -> None:
    folders(tmp_path / "files")
    (tmp_path / "table.csv").write_text("path,label\nfiles/dark/00.png,a\nfiles/away.png,b\n")
    assert "line 3 names files/away.png, which is not there" in refusal(tmp_path)


def test_a_table_without_the_label_names_its_columns(tmp_path: Path) -> None:
    folders(tmp_path / "files")
    (tmp_path / "table.csv").write_text("path,kind\nfiles/dark/00.png,a\n")
    assert "lacks the column label (it has path, kind)" in refusal(tmp_path)
    assert "all rows have the label" in refusal(tmp_path, label="kind")


def test_a_folder_above_the_classes_names_the_right_one(tmp_path: Path) -> None:
    folders(tmp_path / "flowers")
    assert f"name it: file://{tmp_path}/flowers" in refusal(tmp_path)


def test_pictures_without_folders_are_told(tmp_path: Path) -> None:
    for number in range(4):
        save(tmp_path / f"{number}.png")
    assert "a folder for each class" in refusal(tmp_path, format="images")


def test_channels_first_is_refused(tmp_path: Path) -> None:
    document = {
        "source": {"uri": f"file://{folders(tmp_path)}"},
        "preprocessing": {"channels": "first"},
    }
    with pytest.raises(InvalidSpec, match=r"preprocessing\.channels"):
        load(Data.model_validate(document), {})


def encoded(image: Image.Image, kind: str = "PNG", **how: Any) -> io.BytesIO:
    content = io.BytesIO()
    image.save(content, kind, **how)
    content.seek(0)
    return content


def pixels(file: io.BytesIO, height: int, width: int, channels: Any = 3, resize: Any = "stretch"):
    found = decode(file, Shape(height, width, channels, resize))
    assert not isinstance(found, Unreadable), found
    return found


def test_a_camera_held_upright_makes_an_upright_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = encoded(picture(size=(80, 60)), "JPEG", exif=exif, quality=95)

    assert size_of(file) == Size(80, 60, False)
    turned = pixels(file, 80, 60)
    assert turned[:30].mean() < 5
    assert turned[50:].mean() > 250


def test_what_shines_through_is_laid_over_white() -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert (pixels(encoded(clear), 4, 4) == 255).all()
    assert (pixels(encoded(clear), 4, 4, 1) == 255).all()
    palette = picture(0, (4, 4), "P")
    assert (pixels(encoded(palette, transparency=0), 4, 4) == 255).all()


def test_colours_of_a_palette_and_of_print_become_light() -> None:
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    for file in (
        encoded(red.convert("P", palette=Image.Palette.ADAPTIVE)),
        encoded(red.convert("CMYK"), "JPEG"),
    ):
        assert np.abs(pixels(file, 8, 8).astype(int) - [255, 0, 0]).max() < 10


def test_sixteen_bits_become_eight() -> None:
    deep = Image.fromarray(np.array([[0, 256, 32768, 65535]], np.uint16))
    file = encoded(deep)
    found = size_of(file)
    assert isinstance(found, Size)
    assert found.grey
    assert pixels(file, 1, 4, 1)[0, :, 0].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize(
    ("resize", "corner", "middle"), [("stretch", 10, 10), ("crop", 10, 10), ("pad", 0, 10)]
)
def test_other_proportions_are_fitted_in(resize: str, corner: int, middle: int) -> None:
    flat = Image.new("L", (40, 10), 10)
    found = pixels(encoded(flat), 20, 20, 1, resize)
    assert (found[0, 0, 0], found[10, 10, 0]) == (corner, middle)


def test_the_first_picture_of_a_film_is_taken() -> None:
    film = io.BytesIO()
    picture(0).save(film, "GIF", save_all=True, append_images=[picture(255)])
    film.seek(0)
    assert pixels(film, 6, 8)[0, 0].tolist() == [0, 0, 0]


def test_how_pictures_were_fitted_in_is_known(tmp_path: Path) -> None:
    assert read(folders(tmp_path), {"resize": "pad"}).schema.resize == "pad"
