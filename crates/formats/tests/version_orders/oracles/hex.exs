for line <- IO.stream(:stdio, :line) do
  [first, second] = line |> String.trim_trailing("\n") |> String.split("\t")

  try do
    case Version.compare(first, second) do
      :lt -> "-1"
      :eq -> "0"
      :gt -> "1"
    end
  rescue
    Version.InvalidVersionError -> "!"
  end
  |> IO.puts()
end
