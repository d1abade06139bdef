"""Who the agents are: persona files, and the prompts made of them."""
