"""A wallet on Solana, and a trader whose limits no text can move."""
