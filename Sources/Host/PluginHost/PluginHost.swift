// Room PluginHost.
