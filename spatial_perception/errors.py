"""The exception family: libraries raise these, hosts decide what to do with them."""


class PerceptionError(Exception):
    """Base of every error that spatial_perception raises on purpose."""


class ConfigError(PerceptionError):
    """A configuration file, parameter or argument is wrong."""


class DecodeError(PerceptionError):
    """Message bytes do not hold what their type promises."""


class TransformError(PerceptionError):
    """No transform connects two frames at the requested time."""


class EngineError(PerceptionError):
    """A model or its inference engine cannot be loaded, built or run."""


class DatasetError(PerceptionError):
    """A bag or data set on disk is missing, incomplete or damaged."""
