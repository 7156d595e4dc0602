"""The closed lists of words that facts are made of; ``UNKNOWN`` is what a symbol of a newer release is read as."""

from services.wire.vocabulary.commission import *
from services.wire.vocabulary.common import *
from services.wire.vocabulary.school import *
