"""What is known of images, shells, launchers, programs and signal handlers: data files and typed loaders."""
