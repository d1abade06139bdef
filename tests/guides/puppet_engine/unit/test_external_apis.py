import httpx2  # CHANGED: not aiohttp, which is not our HTTP client.
import pytest
from unittest.mock import patch, AsyncMock

from puppet_engine.core.settings import Settings  # CHANGED: used, and never imported.

class TestExternalAPIs:
    """Test external API interactions."""

    @pytest.mark.asyncio
    async def test_twitter_api_mocking(self):
        """Test Twitter API mocking."""
        # CHANGED: there is no `tweepy.AsyncClient` to patch, and one mocked as a whole would test
        # nothing of ours: the answer of X is put in place of the socket.
        def answer(request):
            return httpx2.Response(201, json={'data': {
                'id': '123456789',
                'text': 'Test tweet'
            }})

        # Test twitter client
        from puppet_engine.twitter.client import CREDENTIALS, TwitterClient
        # CHANGED: with keys; without them nothing is sent.
        client = TwitterClient(
            dict.fromkeys(CREDENTIALS, "test"), transport=httpx2.MockTransport(answer)
        )

        result = await client.post_tweet("Test tweet")
        assert result == "123456789"

    @pytest.mark.asyncio
    async def test_openai_api_mocking(self):
        """Test OpenAI API mocking."""
        with patch('openai.AsyncOpenAI') as mock_openai:
            mock_openai.return_value.chat.completions.create.return_value.choices[0].message.content = "Mocked response"

            from puppet_engine.llm.openai_provider import OpenAIProvider
            provider = OpenAIProvider(Settings())

            response = await provider.generate_content("Test prompt", {})
            assert response == "Mocked response"

    @pytest.mark.asyncio
    async def test_solana_api_mocking(self):
        """Test Solana API mocking."""
        with patch('solana.rpc.async_api.AsyncClient') as mock_client:
            mock_client.return_value.get_balance.return_value.value = 1000000000  # 1 SOL

            from puppet_engine.solana.wallet import SolanaWallet
            wallet = SolanaWallet("test_key", "test_url")

            balance = await wallet.get_balance()
            assert balance == 1.0
