"""Names of autonomous systems."""

import numpy as np

from millrace.batch import FlowBatch
from millrace.enrich import ASNames
from millrace.schema import Schema


def named(names, numbers):
    batch = FlowBatch(len(numbers))
    batch.put("SrcAS", np.array(numbers, np.uint32))
    ASNames(names).fill(batch)
    return batch


def shown(batch):
    return batch.to_arrow(Schema()).column("SrcASName").to_pylist()


def test_known_numbers_get_names_small_and_large():
    names = {15169: "Google", 524_287: "last small", 524_288: "first large", 4_200_000_000: "private"}
    numbers = [15169, 0, 524_287, 524_288, 524_289, 4_200_000_000, 4_294_967_295, 15168]
    expected = ["Google", None, "last small", "first large", None, "private", None, None]
    assert shown(named(names, numbers)) == expected


def test_of_many_names_a_batch_carries_those_that_occur():
    batch = named({number: f"AS {number}" for number in range(1, 5000)}, [7, 4999, 7, 9999])
    assert shown(batch) == ["AS 7", "AS 4999", "AS 7", None]
    assert len(batch.columns["SrcASName"].values) <= 4


def test_without_names_or_numbers_nothing_is_added():
    assert "SrcASName" not in named({}, [1]).columns
    assert "DstASName" not in named({1: "a"}, [1]).columns
