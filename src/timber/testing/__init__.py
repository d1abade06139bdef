"""For those who test what is built on Timber: a pytest plugin, and the parts it is made of."""
