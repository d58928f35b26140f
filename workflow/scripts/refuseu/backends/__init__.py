"""What completes a prompt: transformers in process, vLLM in process, or an OpenAI-compatible server.

The caller cannot tell which one it got. Modules that need torch or vllm are imported only when such a
backend is opened.
"""
