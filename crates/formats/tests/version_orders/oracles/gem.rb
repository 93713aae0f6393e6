STDIN.each_line(chomp: true) do |line|
  pair = line.split("\t", -1)
  correct = pair.all? { |text| Gem::Version.correct?(text) }
  puts(correct ? Gem::Version.new(pair[0]) <=> Gem::Version.new(pair[1]) : "!")
end
