"""The items of the requirement, which tests show which, and the page that says so."""
