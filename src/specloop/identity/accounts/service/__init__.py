"""Use cases of accounts: `people` (used by sign-in and invitations), `standing` (the account itself), `leaving`."""
