# Formula for a Homebrew tap. At a release: version and sha256 of the crate.
class Nanobragg < Formula
  desc "Simulate X-ray diffraction images of small perfect crystals"
  homepage "https://docs.rs/nanobragg"
  # At a release: the address and the sha256 of the archive of the crate nanobragg-cli.
  url "nanobragg-cli-0.1.0.crate"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args
    generate_completions_from_executable(bin/"nanoBragg", "completions")
    (man1/"nanoBragg.1").write Utils.safe_popen_read(bin/"nanoBragg", "man")
  end

  test do
    system bin/"nanoBragg", "-cell", "70", "80", "90", "90", "90", "90", "-default_F", "100", "-N", "5",
                            "-detpixels", "64", "-pixel", "0.8", "-distance", "70", "-seed", "1"
    assert_equal 64 * 64 * 4, (testpath/"floatimage.bin").size
  end
end
