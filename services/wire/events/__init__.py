"""The events, as values: facts classes, and beside each what is personal about it.

A facts class *is* the event: rules, folds and reports need nothing else. The personal part is sealed under another key and
opened only when somebody looks. The closed lists stand in ``vocabulary`` and can be named from here too.
"""

from services.wire.events.auditor_record import *
from services.wire.events.both import *
from services.wire.events.commission_record import *
from services.wire.events.from_commission import *
from services.wire.events.school_applying import *
from services.wire.events.school_changing import *
from services.wire.events.school_serving import *
from services.wire.events.shapes import *
from services.wire.events.to_commission import *
from services.wire.vocabulary import *
