"""What scores on other data sets say about sources on a new one, alone and with evidence from the new one."""
