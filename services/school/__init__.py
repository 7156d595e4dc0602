"""A school: takes applications, asks the commission, decides."""
