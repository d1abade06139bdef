"""A Solana that lives in memory: LiteSVM behind JSON-RPC, and a market behind Jupiter's API."""
