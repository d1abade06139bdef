"""A desk that researches stocks and follows portfolios, and keeps all of it in Timber."""
