typedef int CJail_placeholder;
