"""Names that are about to leave."""

import warnings

from component_framework.core.deprecation import deprecated


def old_name() -> int:
    deprecated("old_name()", "new_name()", "0.3")
    return 7


def test_an_old_name_works_and_names_its_replacement_once_at_the_line_that_uses_it() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert old_name() == 7
    [warning] = caught
    assert warning.category is DeprecationWarning
    assert str(warning.message) == "old_name() is deprecated and goes in 0.3. Use new_name()."
    assert warning.filename == __file__
