typedef int CLinux_placeholder;
