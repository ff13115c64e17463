"""A venue in a process of its own: the line to it, JSON lines over a local socket, and both of its ends."""

from tradeworthy.adapters.venue_line.client import VenueClient as VenueClient
from tradeworthy.adapters.venue_line.emergency_line import EmergencyLine as EmergencyLine
from tradeworthy.adapters.venue_line.line import LinePolicy as LinePolicy
from tradeworthy.adapters.venue_line.protocol import Aids as Aids
from tradeworthy.adapters.venue_line.protocol import Scope as Scope
from tradeworthy.adapters.venue_line.server import VenueServer as VenueServer
