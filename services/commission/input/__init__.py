"""The forms of the commission: what is typed, checked, before anything is decided.

Decides whether a form is complete in itself; whether the procedure allows the act is for ``domain.decisions``.
"""

from services.commission.input.answering import *
from services.commission.input.deciding import *
from services.commission.input.reading import *
from services.commission.input.registering import *
from services.commission.input.sending import *
