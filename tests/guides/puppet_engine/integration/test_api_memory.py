import pytest
from fastapi.testclient import TestClient
from puppet_engine.api.server import APIServer

class TestAPIIntegration:
    """Test API integration."""

    @pytest.fixture
    def api_client(self, agent_manager, mock_memory_store):
        """Provide API test client."""
        api_server = APIServer(agent_manager, mock_memory_store)
        return TestClient(api_server.app)

    def test_health_endpoint(self, api_client):
        """Test health check endpoint."""
        response = api_client.get("/health")

        assert response.status_code == 200
        data = response.json()
        assert data["status"] == "success"
        assert data["data"]["status"] == "healthy"

    def test_agents_endpoint(self, api_client):
        """Test agents endpoint."""
        response = api_client.get("/agents")

        assert response.status_code == 200
        data = response.json()
        assert data["status"] == "success"
        assert "agents" in data["data"]

    def test_agent_creation_via_api(self, api_client, sample_agent_config):
        """Test agent creation via API."""
        response = api_client.post("/agents", json=sample_agent_config)

        assert response.status_code == 201
        data = response.json()
        assert data["status"] == "success"
        assert data["data"]["agent_id"] == "test-agent"

    # CHANGED: the agent's configuration is asked for, see below.
    def test_memory_operations_via_api(self, api_client, mock_memory_store, sample_agent_config):
        """Test memory operations via API."""
        # CHANGED: the agent is created first; an unknown one is a 404.
        api_client.post("/agents", json=sample_agent_config)

        # Add memory
        memory_data = {
            "type": "recent",
            "content": "API test memory"
        }

        response = api_client.post("/memory/test-agent", json=memory_data)

        assert response.status_code == 201
        data = response.json()
        assert data["status"] == "success"
        assert "memory_id" in data["data"]

        # Get memories
        response = api_client.get("/memory/test-agent")

        assert response.status_code == 200
        data = response.json()
        assert data["status"] == "success"
        assert "memories" in data["data"]
