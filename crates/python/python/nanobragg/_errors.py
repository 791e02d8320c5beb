"""What can go wrong, with the text that the program nanoBragg says."""


class Error(Exception):
    """Anything that this package refuses."""


class UsageError(Error, ValueError):
    """A flag or a value that makes no sense."""


class FileError(Error, OSError):
    """A file that cannot be read, understood or written."""


class RunError(Error, RuntimeError):
    """An experiment that cannot be, or cannot be rendered."""


class ExperimentWarning(UserWarning):
    """Something about an experiment that was replaced, guessed, or is odd."""
