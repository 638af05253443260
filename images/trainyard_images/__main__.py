"""`python -m trainyard_images`."""

from trainyard_images.cli import main

if __name__ == "__main__":
    main()
