"""Where the site's facts come from: each source writes into the inbox and decides nothing."""
