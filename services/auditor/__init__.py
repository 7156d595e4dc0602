"""An auditor: reads all channels, is given keys of facts by those who let it in, and vouches for what it has read."""
