#!/usr/bin/perl
use Mojolicious::Lite -signatures;
get "/" => sub ($c) { sleep 2; $c->render(text => "ok") };
app->start;
