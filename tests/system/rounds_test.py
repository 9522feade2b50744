# SPDX-License-Identifier: MIT
"""A million rounds of creating and destroying objects of each type."""
import os

import vm
from common import BUILD, check, takes


@takes(45)
def test_rounds_million():
    """a million objects of each type come and go, and every count returns to where it was"""
    image = vm.Image(BUILD)
    image.modules = [os.path.join(BUILD, "tests", "guest", "test-object")]
    result = vm.run(vm.Machine(image=image, command="rounds=1000000", limit=1800))
    check(result.code == vm.SUCCESS, result.explain())
    check("- rounds: " in result.text and "not ok" not in result.text, result.text[-600:])
