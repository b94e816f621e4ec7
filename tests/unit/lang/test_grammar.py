"""The parser is made before threads come: making it in two of them at once fails (Python 3.11's ``ast``)."""

import subprocess
import sys

CODE = """
import ast
from millrace.lang import parse
from millrace.schema import Schema

def fail(*_):
    raise AssertionError("the parser is made only now")

ast.literal_eval = fail
parse("Proto = 6", Schema())
"""


def test_the_first_filter_makes_no_parser():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
