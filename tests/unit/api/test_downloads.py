"""What downloads are called."""

from typing import get_args

from millrace.api.downloads import disposition, media_type, media_types
from millrace.formats import FileFormat


def test_file_is_named_after_its_range():
    named = disposition("flows", "2026-01-01T12:00:00.250Z", '2026-01-01T13:00:00Z"; x', "csv")
    assert named == 'attachment; filename="millrace-flows-20260101T120000Z-20260101T130000Z.csv"'


def test_every_format_has_a_media_type():
    assert [media_type(file_format).partition(";")[0] for file_format in get_args(FileFormat)] == media_types()
