sub { sleep 2; [200, [], ["ok"]] }
