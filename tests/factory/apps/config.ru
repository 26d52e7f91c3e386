run lambda { |environment| sleep 1.5; [200, {}, ["ok"]] }
