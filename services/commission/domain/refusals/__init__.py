"""What a clerk of the commission can be told no for; each leaf names the broken rule, its message says what would be right."""

from services.commission.domain.refusals.answering import *
from services.commission.domain.refusals.deciding import *
from services.commission.domain.refusals.general import *
from services.commission.domain.refusals.registering import *
from services.commission.domain.refusals.sending import *
