"""The questions that the benchmark puts."""

import pytest

from millrace.bench.explore import QUESTIONS
from millrace.lang import parse
from millrace.query import HeatmapQuestion, SankeyQuestion, SeriesQuestion, TopQuestion
from millrace.schema import Schema

MODELS = {"series": SeriesQuestion, "top": TopQuestion, "sankey": SankeyQuestion, "heatmap": HeatmapQuestion}


@pytest.mark.parametrize("asked", QUESTIONS, ids=lambda asked: asked.name)
def test_questions_can_be_put(asked):
    schema = Schema()
    question = MODELS[asked.kind].model_validate({**asked.values, "last_seconds": asked.hours * 3600})
    parse(question.filter, schema)
    columns = question.down + question.across if asked.kind == "heatmap" else question.dimensions
    assert all(schema[name].dimension for name in columns)


def test_names_tell_questions_apart():
    assert len({asked.name for asked in QUESTIONS}) == len(QUESTIONS)
