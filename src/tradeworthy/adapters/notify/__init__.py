"""Ways by which notices leave the desk: one file a transport, behind `operations.incidents.channel.Transport`."""
