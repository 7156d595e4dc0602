"""What each act may do in each state, as tables that are committed and made anew by the tests."""
