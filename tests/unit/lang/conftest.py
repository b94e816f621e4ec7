import pytest

from millrace.schema import Schema


@pytest.fixture(scope="session")
def schema():
    return Schema()
