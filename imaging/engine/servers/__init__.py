"""Engines that other image servers run: the images API of OpenAI, and ComfyUI. Import no torch.

`server_engine` accepts requests as the in-process engine does; `turns` decides which are in flight;
`server_client` speaks HTTP; `openai_images` and `comfyui` are the two APIs.
"""
